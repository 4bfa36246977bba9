// Package imports brings what others recorded into a lake: logs of the DHT from
// 2018 (Boonlog) and .torrent files (Torrents). It reads files and folders and
// writes sealed raw segments, as a collector does, for boon etl to go on from.
//
// Importing the same thing twice adds nothing. The run and number of each event
// follow from what was read and not from when or where, so a second import
// writes the same segments under the same keys, which are there already.
//
// Nothing is lost in silence. Each record or file that is read is either
// imported or counted under a reason, and then kept, or as much of it as fits,
// in the lake's quarantine. A file that is damaged is read as far as it goes,
// and the report says where it ended.
package imports

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// Options are what both imports can be told. The zero value is ready for use.
type Options struct {
	Time      time.Time      // of records that carry none; zero where none was given
	Collector string         // named as the segments' collector; a default for each import
	Software  string         // named in the segments' headers
	Progress  func(Progress) // called now and then, if not nil
}

// Progress is how far an import is.
type Progress struct {
	Input        string // the file being read
	Inputs, Done int
	Read         int64 // records, or .torrent files
}

// Report is the account of an import: Read is the sum of Imported and Rejected.
type Report struct {
	Inputs     int   // files looked at
	Read       int64 // records, or .torrent files, that were read
	Imported   map[string]int64
	Rejected   map[string]int64
	Repeated   int // inputs left out because another one had the same content
	Ignored    int // symbolic links, hidden files and what else in a folder is no input
	Damaged    int // inputs that could be read in part, or not at all
	Segments   int // written
	Present    int // segments that were in the lake already
	Quarantine []string
	Problems   []Problem // of inputs, the first of them; Damaged and Rejected have all
	Notes      []Problem // what was left out, and that is as it should be
}

// Problem is something about one input.
type Problem struct{ Path, What string }

// maxProblems bounds what a report lists of each sort.
const maxProblems = 1000

// Events is the number of events imported, RejectedTotal that of records refused.
func (r *Report) Events() int64 { return sum(r.Imported) }

// RejectedTotal is the number of records that were read and not imported.
func (r *Report) RejectedTotal() int64 { return sum(r.Rejected) }

// Whole reports whether everything could be read and imported.
func (r *Report) Whole() bool { return r.Damaged == 0 && r.RejectedTotal() == 0 }

func sum(counts map[string]int64) int64 {
	var n int64
	for v := range maps.Values(counts) {
		n += v
	}
	return n
}

func newReport() Report {
	return Report{Imported: map[string]int64{}, Rejected: map[string]int64{}}
}

func (r *Report) problem(path, format string, args ...any) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, Problem{path, fmt.Sprintf(format, args...)})
	}
}

func (r *Report) note(path, format string, args ...any) {
	if len(r.Notes) < maxProblems {
		r.Notes = append(r.Notes, Problem{path, fmt.Sprintf(format, args...)})
	}
}

// add joins the account of one input to that of all.
func (r *Report) add(o Report) {
	r.Read += o.Read
	r.Damaged += o.Damaged
	r.Segments += o.Segments
	r.Present += o.Present
	for k, v := range o.Imported {
		r.Imported[k] += v
	}
	for k, v := range o.Rejected {
		r.Rejected[k] += v
	}
	r.Quarantine = append(r.Quarantine, o.Quarantine...)
	for _, p := range o.Problems {
		r.problem(p.Path, "%s", p.What)
	}
}

// Reasons lists what was rejected, most frequent first.
func (r *Report) Reasons() []string {
	return slices.SortedFunc(maps.Keys(r.Rejected), func(a, b string) int {
		if d := r.Rejected[b] - r.Rejected[a]; d != 0 {
			return int(min(max(d, -1), 1))
		}
		return strings.Compare(a, b)
	})
}

// prepare checks the options and fills in the collector's name.
func (o *Options) prepare(collector string) error {
	if o.Collector == "" {
		o.Collector = collector
	}
	if !lake.CollectorName(o.Collector) {
		return fmt.Errorf("collector %q: a collector's name has 1 to 64 of a-z, 0-9, - and _", o.Collector)
	}
	if !o.Time.IsZero() && !believable(o.Time.UnixMicro()) {
		return fmt.Errorf("the time %s is not within the years 2005 to 2099", o.Time.Format(time.RFC3339))
	}
	return nil
}

func (o *Options) progress(p Progress) {
	if o.Progress != nil {
		o.Progress(p)
	}
}

func believable(micros int64) bool { return micros >= rawlog.MinTime && micros < rawlog.MaxTime }

// ErrNoInput is returned where the paths hold nothing to import.
var ErrNoInput = errors.New("nothing to import")
