package synth

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
)

// writeTruth puts the truth into the lake.
func (s *swarm) writeTruth(ctx context.Context, store lake.Store) error {
	head, err := s.truthHead()
	if err != nil {
		return err
	}
	_, err = store.Put(ctx, TruthKey, lake.Condition{}, func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 1<<20)
		if err := s.streamTruth(out, head); err != nil {
			return err
		}
		return out.Flush()
	})
	return err
}

// streamTruth writes head with the two long lists in the place of its last two fields.
func (s *swarm) streamTruth(out *bufio.Writer, head *Truth) error {
	b, err := json.Marshal(head)
	if err != nil {
		return err
	}
	i := bytes.LastIndex(b, []byte(`,"works":null`))
	if i < 0 {
		return fmt.Errorf("the truth does not end in its lists: %.100s", b)
	}
	if _, err := out.Write(b[:i]); err != nil {
		return err
	}
	err = list(out, "works", s.catalogue.works(), func(w int) any { return s.truthOfWork(uint32(w)) })
	if err != nil {
		return err
	}
	err = list(out, "torrents", len(s.catalogue.hash), func(i int) any { return s.truthOfTorrent(uint32(i)) })
	if err != nil {
		return err
	}
	_, err = out.WriteString("}\n")
	return err
}

// list writes a field that is an array, an element a line.
func list(out *bufio.Writer, name string, n int, element func(int) any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	between := ",\n\"" + name + "\":[\n"
	for i := range n {
		if _, err := out.WriteString(between); err != nil {
			return err
		}
		between = ","
		if err := enc.Encode(element(i)); err != nil {
			return err
		}
	}
	return out.WriteByte(']')
}

func (s *swarm) truthHead() (*Truth, error) {
	epochs, err := s.epochs()
	if err != nil {
		return nil, err
	}
	t := &Truth{
		Format: truthFormat, Seed: s.cfg.Seed, Start: s.cfg.Start.String(), Days: s.cfg.Days, Events: s.cfg.Events,
		Requesters: s.people.crawlers, Epochs: epochs,
	}
	for _, n := range s.nodes {
		t.Nodes = append(t.Nodes, TruthNode{Collector: collectors()[n.collector], ID: n.id.String()})
	}
	for d := range s.days {
		t.PerDay = append(t.PerDay, s.truthOfDay(d))
	}
	for c, queries := range s.crawled {
		who := uint32(s.people.crawlers + c)
		addr := s.people.all[who].addr()
		crawler := Crawler{
			Address: addr.String(), Country: s.people.countries[s.people.country(who)].code, Queries: queries, Pseudonyms: map[string]int64{},
		}
		for _, epoch := range epochs {
			k := key(s.cfg.Seed, epoch)
			crawler.Pseudonyms[epoch] = k.Requester(addr)
		}
		t.Crawlers = append(t.Crawlers, crawler)
	}
	return t, nil
}

func counts(n [ways]uint32) Counts {
	return Counts{Swarm: n[inSwarm], Heard: n[inHeard], Counted: n[inCounted], All: n[inAll]}
}

func (s *swarm) truthOfDay(d int) TruthDay {
	day := &s.days[d]
	t := TruthDay{
		Day: (s.cfg.Start + lake.Day(d)).String(), Queries: map[string]int64{}, Bootstraps: day.bootstraps, Refreshes: day.refreshes,
		Crawling: day.crawling, Requesters: counts(day.total), Countries: map[string]Counts{},
	}
	for kind := rawlog.GetPeers; kind <= rawlog.FindNode; kind++ {
		t.Queries[kind.String()] = day.events[kind]
	}
	for h := range day.hours {
		t.Hours[h] = counts(day.hours[h])
	}
	for c, n := range day.countries {
		if n != ([ways]uint32{}) {
			t.Countries[s.people.countries[c].code] = counts(n)
		}
	}
	return t
}

func (s *swarm) truthOfWork(w uint32) Work {
	c := s.describe(w)
	from, to := s.works.at(w, 0), s.works.at(w+1, 0)
	rel := s.release(s.catalogue.first[w])
	return Work{
		ID: int(w), Type: c.kind, Language: c.language.code, Title: rel.title, Torrents: int(s.catalogue.first[w+1] - s.catalogue.first[w]),
		Swarm: s.works.swarm[from:to], Heard: s.works.heard[from:to],
	}
}

func (s *swarm) truthOfTorrent(i uint32) Torrent {
	from, to := s.torrents.at(i, 0), s.torrents.at(i+1, 0)
	w := s.catalogue.work[i]
	t := Torrent{Infohash: s.catalogue.hash[i].String(), Work: int(w), Swarm: s.torrents.swarm[from:to]}
	unheard := true
	for _, n := range s.torrents.all[from:to] {
		unheard = unheard && n == 0
	}
	if unheard {
		t.Type = s.describe(w).kind
		return t
	}
	rel := s.release(i)
	t.Type = rel.kind
	t.Heard, t.All, t.Resolved = s.torrents.heard[from:to], s.torrents.all[from:to], s.tried[i] == resolved
	_, t.InfohashV2 = s.version(i)
	t.Name, t.Title, t.Language, t.Group = rel.name, rel.title, rel.language, rel.group
	t.Year, t.Season, t.Episode, t.Resolution = rel.year, rel.season, rel.episode, rel.resolution
	t.Source, t.VideoCodec, t.AudioCodec = rel.source, rel.video, rel.audio
	return t
}
