package imports

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/boontorrent/boon/internal/lake"
)

// input is a file to import.
type input struct {
	path  string
	size  int64
	mtime time.Time
}

// collect finds the inputs that paths name: files as they are, folders with all
// that lies below and that want approves of. Links within folders are not
// followed, hidden files and the lake itself are passed over. What cannot be
// read is a problem of the report.
func collect(ctx context.Context, store lake.Store, paths []string, want func(name string) bool, rep *Report) ([]input, error) {
	lakeInfo, _ := os.Stat(store.URL())
	var found []input
	for _, path := range paths {
		st, err := os.Stat(path)
		switch {
		case err != nil:
			rep.Damaged++
			rep.problem(path, "%v", plainError(err))
		case st.IsDir():
			more, err := walk(ctx, path, lakeInfo, want, rep)
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
		case !st.Mode().IsRegular():
			rep.Damaged++
			rep.problem(path, "not a plain file; an import reads its input twice, so save it to a file first")
		default:
			found = append(found, input{path, st.Size(), st.ModTime()})
		}
	}
	rep.Inputs = len(found)
	if len(found) == 0 && rep.Damaged == 0 {
		return nil, fmt.Errorf("%w in %s", ErrNoInput, strings.Join(paths, ", "))
	}
	return found, nil
}

func walk(ctx context.Context, root string, lakeInfo fs.FileInfo, want func(string) bool, rep *Report) ([]input, error) {
	var found []input
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err != nil {
			rep.Damaged++
			rep.problem(path, "%v", plainError(err))
			return nil
		}
		hidden := path != root && strings.HasPrefix(e.Name(), ".")
		st, err := e.Info()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // deleted meanwhile
		case err != nil:
			rep.Damaged++
			rep.problem(path, "%v", plainError(err))
		case e.IsDir() && lakeInfo != nil && os.SameFile(st, lakeInfo):
			rep.note(path, "passed over: it is the lake")
			return fs.SkipDir
		case e.IsDir() && hidden:
			rep.Ignored++
			return fs.SkipDir
		case e.IsDir():
		case hidden || !st.Mode().IsRegular() || !want(e.Name()):
			rep.Ignored++
		default:
			found = append(found, input{path, st.Size(), st.ModTime()})
		}
		return nil
	})
	return found, err
}

// plainError is an error of the file system without the path, which the report has.
func plainError(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
