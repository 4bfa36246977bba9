// Package s3test starts a real S3 server, versitygw, for tests: on loopback, with
// a temporary folder as its disk. The test that starts it ends it.
package s3test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// The credentials of the server.
const (
	KeyID  = "boon-test"
	Secret = "not a secret"
)

// Server is a running server.
type Server struct {
	URL string // its endpoint
	// Root holds a folder for each bucket.
	Root    string
	buckets atomic.Int64
}

// Program finds versitygw: $BOON_VERSITYGW, .tools/bin of the module, PATH. The
// test is skipped where it is nowhere.
func Program(tb testing.TB) string {
	tb.Helper()
	if p := os.Getenv("BOON_VERSITYGW"); p != "" {
		return p
	}
	dir, err := os.Getwd()
	for ; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
			continue
		}
		if p := filepath.Join(dir, ".tools", "bin", "versitygw"); executable(p) {
			return p
		}
	}
	p, err := exec.LookPath("versitygw")
	if err != nil {
		tb.Skip("versitygw is not installed: make .tools/bin/versitygw")
	}
	return p
}

func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0
}

// Start starts a server and sets the AWS_ variables of the test to it.
func Start(tb testing.TB) *Server {
	tb.Helper()
	program := Program(tb)
	s := &Server{Root: filepath.Join(tb.TempDir(), "buckets")}
	args := []string{"--quiet", "--keep-alive", "--port", "", "posix"}
	if err := os.Mkdir(s.Root, 0o755); err != nil {
		tb.Fatal(err)
	}
	if !keepsAttributes(s.Root) {
		// The file system cannot keep what versitygw knows of a file beside it.
		sidecar := filepath.Join(filepath.Dir(s.Root), "sidecar")
		if err := os.Mkdir(sidecar, 0o755); err != nil {
			tb.Fatal(err)
		}
		args = append(args, "--sidecar", sidecar)
	}
	var last error
	for range 5 { // the free port may be taken by the time the server wants it
		address := freePort(tb)
		args[3] = address
		if last = s.run(tb, program, address, append(args, s.Root)); last == nil {
			s.URL = "http://" + address
			SetEnv(tb, s.URL)
			return s
		}
	}
	tb.Fatal(last)
	return nil
}

// SetEnv sets the AWS_ variables of the test to the endpoint url.
func SetEnv(tb testing.TB, url string) {
	tb.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": KeyID, "AWS_SECRET_ACCESS_KEY": Secret, "AWS_SESSION_TOKEN": "",
		"AWS_REGION": "us-east-1", "AWS_PROFILE": "", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED": "true",
	} {
		tb.Setenv(name, value)
	}
}

// Bucket makes a new bucket and returns its name.
func (s *Server) Bucket(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprintf("lake%d", s.buckets.Add(1))
	// With a posix backend, a folder is a bucket.
	if err := os.Mkdir(filepath.Join(s.Root, name), 0o755); err != nil {
		tb.Fatal(err)
	}
	return name
}

// run starts the server and waits until it answers.
func (s *Server) run(tb testing.TB, program, address string, args []string) error {
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), program, args...) // Cleanup ends it, later
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+KeyID, "ROOT_SECRET_KEY="+Secret)
	cmd.SysProcAttr = dieWithParent()
	output, err := os.Create(filepath.Join(filepath.Dir(s.Root), "versitygw.log"))
	if err != nil {
		return err
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}
	var end error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		end = cmd.Wait()
	}()
	stop := func() {
		_ = cmd.Process.Kill() // it may have ended
		<-ended
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		select {
		case <-ended:
			log, _ := os.ReadFile(output.Name())
			return fmt.Errorf("%s ended: %w\n%s", program, end, log)
		default:
		}
		if answers(address) {
			tb.Cleanup(stop)
			return nil
		}
		if time.Now().After(deadline) {
			stop()
			return fmt.Errorf("%s does not answer at %s", program, address)
		}
	}
}

func answers(address string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return res.Body.Close() == nil
}

func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
