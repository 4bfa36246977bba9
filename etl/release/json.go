package release

import (
	"strconv"
	"unicode/utf8"
)

// AppendJSON appends r as one JSON object. Fields that the name does not say are left out, the title and the spans are not.
func (r *Release) AppendJSON(b []byte) []byte {
	b = append(b, `{"title":`...)
	b = appendString(b, r.Title)
	for _, f := range [...]struct{ name, value string }{
		{"alt_title", r.AltTitle}, {"artist", r.Artist}, {"episode_title", r.EpisodeTitle}, {"date", r.Date},
		{"source", r.Source}, {"video_codec", r.VideoCodec}, {"audio_codec", r.AudioCodec}, {"channels", r.Channels},
		{"edition", r.Edition}, {"release_group", r.ReleaseGroup}, {"version", r.Version}, {"container", r.Container},
		{"network", r.Network}, {"platform", r.Platform}, {"format", r.Format}, {"isbn", r.ISBN}, {"adult", r.Adult},
		{"country", r.Country}, {"site", r.Site}, {"crc", r.CRC}, {"script", r.Script},
	} {
		if f.value != "" {
			b = appendString(appendKey(b, f.name), f.value)
		}
	}
	for _, f := range [...]struct {
		name  string
		value int
	}{
		{"year", r.Year}, {"year_end", r.YearEnd}, {"part", r.Part}, {"volume", r.Volume}, {"issue", r.Issue},
		{"resolution", r.Resolution}, {"bit_depth", r.BitDepth},
	} {
		if f.value != 0 {
			b = strconv.AppendInt(appendKey(b, f.name), int64(f.value), 10)
		}
	}
	b = appendInts(b, "seasons", r.Seasons)
	b = appendInts(b, "episodes", r.Episodes)
	b = appendInts(b, "absolute", r.Absolute)
	b = appendStrings(b, "hdr", r.HDR)
	b = appendStrings(b, "languages", r.Languages)
	b = appendStrings(b, "subtitles", r.Subtitles)
	for _, f := range [...]struct {
		name  string
		value bool
	}{
		{"alt_subtitle", r.AltSubtitle}, {"dubbed", r.Dubbed}, {"proper", r.Proper}, {"repack", r.Repack}, {"remux", r.Remux},
		{"three_d", r.ThreeD}, {"sample", r.Sample}, {"app", r.App}, {"complete", r.Complete}, {"pack", r.Pack}, {"cut", r.Cut},
	} {
		if f.value {
			b = append(appendKey(b, f.name), "true"...)
		}
	}
	return append(r.appendSpans(b), '}')
}

// MarshalJSON is AppendJSON for encoding/json.
func (r *Release) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil), nil }

func (r *Release) appendSpans(b []byte) []byte {
	b = appendKey(b, "spans")
	b = append(b, '{')
	first := true
	for f, s := range r.Spans {
		if s.End == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '"')
		b = append(b, fieldNames[f]...)
		b = append(b, `":[`...)
		b = strconv.AppendInt(b, int64(s.Start), 10)
		b = append(b, ',')
		b = strconv.AppendInt(b, int64(s.End), 10)
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendKey(b []byte, name string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

func appendInts(b []byte, name string, list []int) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(appendKey(b, name), '[')
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, ']')
}

func appendStrings(b []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(appendKey(b, name), '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string; what is not UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ' || r == 0x7F || r == '\u2028' || r == '\u2029':
			b = append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
