package pack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Take makes the folder from, which a Folder made earlier, anew in parent, by links
// where the file system can do that. It reads every file and takes nothing over that
// is not what the folder's name says.
func Take(ctx context.Context, from, parent string) (files, bytes int64, err error) {
	name := filepath.Base(from)
	to := filepath.Join(parent, name)
	var sums []string
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rest), 0o755)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		sums = append(sums, filepath.ToSlash(rest)+" "+hex.EncodeToString(sum[:]))
		files, bytes = files+1, bytes+int64(len(b))
		if os.Link(path, filepath.Join(to, rest)) == nil {
			return ctx.Err()
		}
		return os.WriteFile(filepath.Join(to, rest), b, 0o644)
	})
	if digest := digest(sums); err == nil && !strings.HasSuffix(name, digest) {
		err = fmt.Errorf("%s is not what it was: its files have the digest %s", from, digest)
	}
	if err != nil {
		_ = os.RemoveAll(to)
		return 0, 0, err
	}
	return files, bytes, nil
}
