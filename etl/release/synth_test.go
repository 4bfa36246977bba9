package release_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/boontorrent/boon/etl/release"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/synth"
)

// words are how names write what the truth calls a codec.
var words = map[string][]string{
	"h264": {"x264", "h264"}, "h265": {"x265", "h265", "hevc"}, "xvid": {"xvid"}, "aac": {"aac"}, "ac3": {"ac3", "dd51"}, "dts": {"dts"},
	"mp3": {"mp3"}, "flac": {"flac"},
}

// TestSyntheticNames holds that of every field that a synthetic name holds 99.8% are read right. What of the truth the name
// does not hold is not asked: a field is held where its value, folded, stands in the folded name.
func TestSyntheticNames(t *testing.T) {
	store := lake.NewMemory()
	if _, err := synth.Run(context.Background(), store, synth.Config{Seed: 3, Start: 20458, Days: 1, Events: 200_000}); err != nil {
		t.Fatal(err)
	}
	truth, err := synth.ReadTruth(context.Background(), store)
	if err != nil {
		t.Fatal(err)
	}
	held, right := map[string]int{}, map[string]int{}
	wrong := map[string][]string{}
	ask := func(field, name string, holds, ok bool) {
		if !holds {
			return
		}
		held[field]++
		if ok {
			right[field]++
		} else {
			wrong[field] = append(wrong[field], name)
		}
	}
	for i := range truth.Torrents {
		tr := &truth.Torrents[i]
		if tr.Name == "" || tr.Type == release.TypeOther {
			continue
		}
		r := release.Parse(tr.Name)
		name := folded(tr.Name)
		ask("title", tr.Name, strings.Contains(name, folded(tr.Title)), sameTitle(&r, tr.Title))
		ask("year", tr.Name, tr.Year > 0 && strings.Contains(name, strconv.Itoa(tr.Year)), r.Year == tr.Year)
		ask("season", tr.Name, tr.Season > 0 && strings.Contains(name, strconv.Itoa(tr.Season)), slices.Equal(r.Seasons, []int{tr.Season}))
		ask("episode", tr.Name, tr.Episode > 0 && strings.Contains(name, strconv.Itoa(tr.Episode)), slices.Equal(r.Episodes, []int{tr.Episode}))
		ask("resolution", tr.Name, tr.Resolution > 0 && strings.Contains(name, strconv.Itoa(tr.Resolution)), r.Resolution == tr.Resolution)
		ask("source", tr.Name, tr.Source != "", r.Source == tr.Source)
		ask("video_codec", tr.Name, holdsAny(name, words[tr.VideoCodec]), r.VideoCodec == tr.VideoCodec)
		ask("audio_codec", tr.Name, holdsAny(name, words[tr.AudioCodec]), r.AudioCodec == tr.AudioCodec)
		ask("group", tr.Name, tr.Group != "" && strings.Contains(tr.Name, tr.Group), r.ReleaseGroup == tr.Group)
	}
	for field, n := range held {
		share := 100 * float64(right[field]) / float64(n)
		t.Logf("%s: %.2f%% of %d", field, share, n)
		if share < 99.8 {
			t.Errorf("%s: %.2f%% right, want 99.8; as in %q", field, share, wrong[field][:min(5, len(wrong[field]))])
		}
	}
	if len(held) != 9 {
		t.Errorf("%d fields asked, want 9", len(held))
	}
}

// sameTitle tells whether the title is the one given, alone, with its artist or with what its dash leads to.
func sameTitle(r *release.Release, want string) bool {
	want = folded(want)
	return folded(r.Title) == want || folded(r.Artist+r.Title) == want || folded(r.Title+r.AltTitle) == want || folded(r.AltTitle) == want
}

func holdsAny(name string, list []string) bool {
	return slices.ContainsFunc(list, func(w string) bool { return strings.Contains(name, w) })
}

func folded(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
