package imports

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// torrent is a .torrent file of one file.
func torrent(name string, size int) []byte {
	return fmt.Appendf(nil, "d4:infod6:lengthi%de4:name%d:%s12:piece lengthi16384e6:pieces20:%see", size, len(name), name, strings.Repeat("x", 20))
}

func torrents(t *testing.T, s lake.Store, opt Options, paths ...string) Report {
	t.Helper()
	rep, err := Torrents(t.Context(), s, paths, opt)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Read != rep.Events()+rep.RejectedTotal() || rep.Read+int64(rep.Repeated) > int64(rep.Inputs) {
		t.Errorf("the sums of %+v", rep)
	}
	return rep
}

func TestTorrents(t *testing.T) {
	folder := t.TempDir()
	day := time.Date(2020, 2, 29, 23, 0, 0, 0, time.UTC)
	for name, b := range map[string][]byte{
		"a/film.torrent": torrent("film.mkv", 7), "b/SONG.TORRENT": torrent("song.mp3", 5), "b/song again.torrent": torrent("song.mp3", 5),
		"bad.torrent": torrent("x", -1), "cut.torrent": torrent("x", 1)[:20], "notes.txt": []byte("not a torrent"),
	} {
		path := write(t, folder, name, b)
		if err := os.Chtimes(path, day, day); err != nil {
			t.Fatal(err)
		}
	}
	s := lake.NewMemory()
	rep := torrents(t, s, Options{Software: "boon test"}, folder)
	if rep.Inputs != 5 || rep.Events() != 2 || rep.Repeated != 1 || rep.Ignored != 1 || len(rep.Problems) != 2 {
		t.Errorf("%+v", rep)
	}
	if diff := cmp.Diff(map[string]int64{"bad_size": 1, "malformed": 1}, rep.Rejected); diff != "" {
		t.Errorf("rejected:\n%s", diff)
	}
	if got := quarantined(t, s, rep.Quarantine[0]); len(got) != 2 || got[0].Input != "bad.torrent" || got[0].Reason != "bad_size" || got[0].Text != string(torrent("x", -1)) {
		t.Errorf("quarantine %+v", got)
	}
	seen := map[int64]bool{}
	each(t, s, func(ev *rawlog.Event) {
		seen[ev.N] = true
		if ev.T != day.UnixMicro() || ev.N <= 0 || ev.Resolve.FoundBy != "import" || ev.Resolve.Peers != -1 || len(ev.Resolve.Files) != 1 {
			t.Errorf("event of %d, number %d: %+v", ev.T, ev.N, ev.Resolve)
		}
	})
	if len(seen) != 2 {
		t.Errorf("%d numbers of 2 events", len(seen))
	}
	before := keys(t, s)
	if rep := torrents(t, s, Options{Software: "boon test"}, folder); rep.Present != 1 || rep.Segments != 0 {
		t.Errorf("a second import: %+v", rep)
	}
	if diff := cmp.Diff(before, keys(t, s)); diff != "" {
		t.Errorf("a second import changed the lake:\n%s", diff)
	}
	// A file has its number whatever it is imported with.
	torrents(t, s, Options{}, filepath.Join(folder, "a"))
	each(t, s, func(ev *rawlog.Event) {
		if !seen[ev.N] {
			t.Errorf("%s got another number", ev.Resolve.Name)
		}
	})
}

func TestTorrentTimes(t *testing.T) {
	path := write(t, t.TempDir(), "a", torrent("a", 1))
	if err := os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	s := lake.NewMemory()
	if rep := torrents(t, s, Options{}, path); rep.Rejected["bad_time"] != 1 || !strings.Contains(rep.Problems[0].What, "--time") {
		t.Errorf("a file of 1970: %+v", rep)
	}
	given := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)
	torrents(t, s, Options{Time: given}, path)
	each(t, s, func(ev *rawlog.Event) {
		if ev.T != given.UnixMicro() {
			t.Errorf("time %d", ev.T)
		}
	})
}

// Torrents of many days, in no order, make one segment a day.
func TestTorrentsOfManyDays(t *testing.T) {
	folder := t.TempDir()
	for i := range 60 {
		path := write(t, folder, fmt.Sprintf("%02d.torrent", i), torrent(fmt.Sprintf("name %d", i), 1))
		day := time.Date(2019, 1, 1+(i*7)%30, i%24, 0, 0, 0, time.UTC)
		if err := os.Chtimes(path, day, day); err != nil {
			t.Fatal(err)
		}
	}
	s := lake.NewMemory()
	rep := torrents(t, s, Options{}, folder)
	if rep.Segments != 30 || rep.Events() != 60 || len(stored(t, s)) != 60 {
		t.Errorf("%+v", rep)
	}
}

func TestTorrentTooLarge(t *testing.T) {
	path := write(t, t.TempDir(), "a.torrent", make([]byte, 65<<20))
	s := lake.NewMemory()
	rep := torrents(t, s, Options{}, path)
	if rep.Rejected["too_large"] != 1 || quarantined(t, s, rep.Quarantine[0])[0].Bytes <= 64<<20 {
		t.Errorf("%+v", rep)
	}
}
