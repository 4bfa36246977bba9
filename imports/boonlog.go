package imports

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"regexp"
	"time"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// logImport is an import of 2018 logs under way.
type logImport struct {
	store lake.Store
	opt   Options
	rep   Report
	seen  map[[32]byte]string // the content of each input so far, and its path
}

// Boonlog imports logs of 2018: JSON records of version 3 or 4, one a line or
// run together, plain, gzip or zstd.
//
// A record of version 4 has its time. One of version 3 has that of its file,
// from a name like boonlog-firehose-1-2018-04-30-17-59-50-<uuid>, or else
// Options.Time; without either its file is not imported.
//
// Each file is a run of its own, named for its content and the time its records
// were given. The error is of the import as a whole (no input, the lake cannot
// be written, ctx is done); the Report holds then what was stored until then.
func Boonlog(ctx context.Context, store lake.Store, paths []string, opt Options) (Report, error) {
	im := &logImport{store: store, opt: opt, rep: newReport(), seen: map[[32]byte]string{}}
	if err := im.opt.prepare("boonlog-2018"); err != nil {
		return im.rep, err
	}
	inputs, err := collect(ctx, store, paths, func(string) bool { return true }, &im.rep)
	if err != nil {
		return im.rep, err
	}
	for i, in := range inputs {
		one, err := im.input(ctx, in, Progress{Input: in.path, Inputs: len(inputs), Done: i})
		if err != nil {
			return im.rep, fmt.Errorf("import %s: %w", in.path, err)
		}
		im.rep.add(one)
		im.opt.progress(Progress{Input: in.path, Inputs: len(inputs), Done: i + 1, Read: im.rep.Read})
	}
	return im.rep, nil
}

// input imports one file. An error ends the whole import; what is wrong with
// the file alone is in the report.
func (im *logImport) input(ctx context.Context, in input, p Progress) (Report, error) {
	rep := newReport()
	id, err := identify(ctx, in.path)
	if ctx.Err() != nil {
		return rep, ctx.Err()
	}
	if err != nil {
		rep.Damaged++
		rep.problem(in.path, "%v", err)
		if id.objects == 0 {
			return rep, nil
		}
	}
	if first, again := im.seen[id.content]; again {
		im.rep.Repeated++
		im.rep.note(in.path, "left out: the same content as %s", first)
		return rep, nil
	}
	base := timeOfName(filepath.Base(in.path))
	if base.IsZero() {
		base = im.opt.Time
	}
	if id.v3 && base.IsZero() {
		rep.Damaged++
		rep.problem(in.path, "its records are of version 3, which has no times: give one with --time 2018-04-30T17:59:50Z, or name the file as it was stored, boonlog-firehose-1-2018-04-30-17-59-50-…")
		return rep, nil
	}
	im.seen[id.content] = in.path
	run := &logRun{in: in, base: base, name: id.run(base), progress: p, report: &rep, out: im}
	return rep, run.read(ctx, id)
}

// identity is what a first reading of a file finds.
type identity struct {
	content [32]byte // SHA-256 of what could be read, unpacked
	hash    hash.Hash
	objects int64
	v3      bool // there are records of version 3
}

// identify reads a file once. An error says how far it can be read.
func identify(ctx context.Context, path string) (identity, error) {
	id := identity{hash: sha256.New()}
	in, err := unpack(path)
	if err != nil {
		return id, err
	}
	defer in.Close()
	split := newObjects(io.TeeReader(in, id.hash))
	for {
		if id.objects%1024 == 0 && ctx.Err() != nil {
			return id, ctx.Err()
		}
		piece, err := split.next()
		if err != nil {
			id.content = [32]byte(id.hash.Sum(nil))
			if errors.Is(err, io.EOF) {
				return id, nil
			}
			return id, err
		}
		id.objects++
		id.v3 = id.v3 || piece.reason == "" && isV3(piece.text)
	}
}

// run names the run that a file's records make: after its content, and after
// the time given to those that have none.
func (id *identity) run(base time.Time) string {
	if id.v3 {
		fmt.Fprintf(id.hash, "\nbase %d", base.UnixMicro())
	}
	return "import-" + hex.EncodeToString(id.hash.Sum(nil))
}

// isV3 reports whether a record says it is of version 3, without decoding it.
// (A quote within a JSON string is escaped: "v": can only be a key.)
func isV3(text []byte) bool {
	for {
		i := bytes.Index(text, []byte(`"v"`))
		if i < 0 {
			return false
		}
		text = bytes.TrimLeft(text[i+3:], " \t\r\n")
		if rest, ok := bytes.CutPrefix(text, []byte(":")); ok {
			return bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte("3"))
		}
	}
}

// stamp is how Kinesis put the time of a file's first record into its name.
const stamp = `(?:^|\D)(\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)(?:\D|$)`

// timeOfName is the time that a file's name tells, zero if it tells none.
func timeOfName(name string) time.Time {
	for _, m := range regexp.MustCompile(stamp).FindAllStringSubmatch(name, -1) {
		t, err := time.Parse("2006-01-02-15-04-05", m[1])
		if err == nil && believable(t.UnixMicro()) {
			return t
		}
	}
	return time.Time{}
}

// logRun is the import of one file.
type logRun struct {
	in       input
	base     time.Time
	name     string
	progress Progress
	report   *Report
	out      *logImport
	kept     quarantine
}

// read reads the file a second time and stores its records.
func (r *logRun) read(ctx context.Context, id identity) error {
	in, err := unpack(r.in.path)
	if err != nil {
		r.report.Damaged++
		r.report.problem(r.in.path, "%v", err)
		return nil
	}
	defer in.Close()
	log := rawlog.NewLog(r.out.store, rawlog.Header{
		Collector: r.out.opt.Collector, Run: r.name, Software: r.out.opt.Software, Privacy: "plain", Imported: "boonlog",
	}, 0)
	content := sha256.New()
	if err := r.records(ctx, newObjects(io.TeeReader(in, content)), log); err != nil {
		return err
	}
	if !bytes.Equal(content.Sum(nil), id.content[:]) {
		*r.report = newReport()
		r.report.Damaged++
		r.report.problem(r.in.path, "it changed while it was read; import it again when it is at rest")
		return nil
	}
	if err := log.Close(ctx); err != nil {
		return err
	}
	r.report.Segments, r.report.Present = log.Written, log.Present
	return r.kept.store(ctx, r.out.store, r.name, r.report)
}

// records appends every record to log, or counts and keeps it as rejected.
func (r *logRun) records(ctx context.Context, split *objects, log *rawlog.Log) error {
	var ev rawlog.Event
	for n := int64(1); ; n++ {
		piece, err := split.next()
		if err != nil {
			return nil //nolint:nilerr // the first reading reported it, if it was not the end
		}
		if n%8192 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			r.progress.Read = r.out.rep.Read + n
			r.out.opt.progress(r.progress)
		}
		r.report.Read++
		if piece.reason != "" {
			err = &rejection{piece.reason, ""}
		} else {
			err = convert(piece.text, r.base, &ev)
		}
		var no *rejection
		if errors.As(err, &no) {
			r.report.Rejected[no.reason]++
			line := refused{Reason: no.reason, Detail: no.detail, N: n, Input: filepath.Base(r.in.path)}
			if err := r.kept.add(line, piece.text, piece.size); err != nil {
				return err
			}
			continue
		}
		ev.N = n
		if err := log.Append(ctx, &ev); err != nil {
			return err
		}
		r.report.Imported[ev.Kind.String()]++
	}
}
