package imports

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/boontorrent/boon/internal/infodict"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// torrentImport is an import of .torrent files under way.
type torrentImport struct {
	store lake.Store
	opt   Options
	rep   Report
	log   *rawlog.Log
	seen  map[[32]byte]string
	kept  quarantine
	sums  hash.Hash // of the files in quarantine
}

// Torrents imports .torrent files as resolve events: in folders those named
// .torrent, and any file that is given by name.
//
// An event's time is Options.Time, or else when its file was last changed. Its
// number follows from the file's content, so that a file imported again, with
// whatever others, is known for the same.
func Torrents(ctx context.Context, store lake.Store, paths []string, opt Options) (Report, error) {
	im := &torrentImport{store: store, opt: opt, rep: newReport(), seen: map[[32]byte]string{}, sums: sha256.New()}
	if err := im.opt.prepare("torrents"); err != nil {
		return im.rep, err
	}
	isTorrent := func(name string) bool { return strings.EqualFold(filepath.Ext(name), ".torrent") }
	inputs, err := collect(ctx, store, paths, isTorrent, &im.rep)
	if err != nil {
		return im.rep, err
	}
	im.order(inputs)
	im.log = rawlog.NewLog(store, rawlog.Header{
		Collector: im.opt.Collector, Run: "torrents", Software: opt.Software, Privacy: "plain", Imported: "torrents",
	}, 0)
	for i, in := range inputs {
		if err := ctx.Err(); err != nil {
			return im.stored(), err
		}
		if err := im.input(ctx, in); err != nil {
			return im.stored(), fmt.Errorf("import %s: %w", in.path, err)
		}
		im.opt.progress(Progress{Input: in.path, Inputs: len(inputs), Done: i + 1, Read: im.rep.Read})
	}
	if err := im.log.Close(ctx); err != nil {
		return im.stored(), err
	}
	im.rep.Segments, im.rep.Present = im.log.Written, im.log.Present
	return im.rep, im.kept.store(ctx, store, "torrents-"+hex.EncodeToString(im.sums.Sum(nil)), &im.rep)
}

// order sorts the inputs by time, so that each day makes one segment, and by
// path, so that it is the same one every time.
func (im *torrentImport) order(inputs []input) {
	if !im.opt.Time.IsZero() {
		for i := range inputs {
			inputs[i].mtime = im.opt.Time
		}
	}
	slices.SortFunc(inputs, func(a, b input) int {
		if d := a.mtime.Compare(b.mtime); d != 0 {
			return d
		}
		return strings.Compare(a.path, b.path)
	})
}

// stored is the report of an import that did not come to its end: what was
// imported but not stored does not count.
func (im *torrentImport) stored() Report {
	rep := newReport()
	rep.Inputs, rep.Problems, rep.Notes = im.rep.Inputs, im.rep.Problems, im.rep.Notes
	if im.log != nil {
		rep.Segments, rep.Present = im.log.Written, im.log.Present
	}
	return rep
}

func (im *torrentImport) input(ctx context.Context, in input) error {
	content, err := readBounded(in.path)
	if err != nil {
		im.rep.Damaged++
		im.rep.problem(in.path, "%v", err)
		return nil
	}
	digest := sha256.Sum256(content)
	if first, again := im.seen[digest]; again {
		im.rep.Repeated++
		im.rep.note(in.path, "left out: the same content as %s", first)
		return nil
	}
	im.seen[digest] = in.path
	im.rep.Read++
	if t := in.mtime.UnixMicro(); !believable(t) {
		return im.reject(in, digest, content, rejected(rawlog.BadTime, "the file's time, %s, is not within the years 2005 to 2099; give one with --time", in.mtime.UTC().Format("2006-01-02")))
	}
	res, err := infodict.FromTorrent(content)
	if err != nil {
		return im.reject(in, digest, content, err)
	}
	res.FoundBy = "import"
	ev := &rawlog.Event{Kind: rawlog.Resolve, T: in.mtime.UnixMicro(), N: numberOf(digest), Resolve: res}
	if err := im.log.Append(ctx, ev); err != nil {
		return err
	}
	im.rep.Imported[rawlog.Resolve.String()]++
	return nil
}

// numberOf is the record number of a file: 63 bits of its digest, not zero.
func numberOf(digest [32]byte) int64 {
	return max(1, int64(binary.BigEndian.Uint64(digest[:8])>>1))
}

func (im *torrentImport) reject(in input, digest [32]byte, content []byte, why error) error {
	line := refused{Reason: "rejected", Detail: why.Error(), Input: filepath.Base(in.path)}
	var bad *infodict.Error
	var no *rejection
	switch {
	case errors.As(why, &bad):
		line.Reason, line.Detail = string(bad.Reason), bad.Detail
	case errors.As(why, &no):
		line.Reason, line.Detail = no.reason, no.detail
	}
	im.rep.Rejected[line.Reason]++
	im.rep.problem(in.path, "%s: %s", line.Reason, line.Detail)
	im.sums.Write(digest[:])
	return im.kept.add(line, content, int64(len(content)))
}

// readBounded reads a file of at most one byte more than a torrent may have.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, plainError(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, infodict.MaxBytes+1))
	if err != nil {
		return nil, plainError(err)
	}
	return b, nil
}
