package s3test

import "syscall"

// dieWithParent ends the server when the test is killed and cannot.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// keepsAttributes reports whether files in dir can have extended attributes.
func keepsAttributes(dir string) bool {
	return syscall.Setxattr(dir, "user.boon-test", []byte("1"), 0) == nil
}
