package etl_test

import (
	"fmt"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/boontorrent/boon/datasets"
	"github.com/boontorrent/boon/internal/rawlog"
)

// Two nodes of one run say what they heard and measured in a minute, one of
// them in two parts: uptime has a row for each node and type, and for what
// reached the tables one for the run.
func TestUptimeByNode(t *testing.T) {
	one, two := rawlog.ID{1}, rawlog.ID{2}
	at := testDay.Start() + 5*60e6
	stats := func(n int64, id rawlog.ID, gets, nodes int64, gauges map[string]int64) rawlog.Event {
		return rawlog.Event{Kind: rawlog.Stats, T: at + n, N: n, Stats: &rawlog.StatsEvent{
			OurID: id, Received: map[string]int64{"get_peers": gets}, Logged: map[string]int64{"get_peers": gets - 1},
			Dropped: map[string]int64{"queue_full": 1}, Sent: map[string]int64{"response": gets}, Nodes: nodes, Gauges: gauges,
		}}
	}
	events := []rawlog.Event{
		stats(1, one, 10, 0, nil),
		stats(2, one, 5, 812, map[string]int64{"asker_ids": 4, "distance_159": 3}),
		stats(3, two, 7, 900, map[string]int64{"asker_ids": 6}),
	}
	store := write(t, events, 1)
	run(t, store, options())
	var got []string
	for _, u := range table[datasets.Uptime](t, store, "uptime") {
		id := "-"
		if u.OurID != nil {
			id = fmt.Sprint(u.OurID[0])
		}
		got = append(got, fmt.Sprint((u.Minute-testDay.Start())/60e6, " ", id, " ", u.Type, " ", u.Received, u.Logged, u.Dropped, u.Sent, u.Loaded, " nodes ", number(u.Nodes), " value ", number(u.Value)))
	}
	want := []string{
		"5 - stats 0 0 0 0 3 nodes 0 value 0",
		"5 1 asker_ids 0 0 0 0 0 nodes 0 value 4",
		"5 1 distance_159 0 0 0 0 0 nodes 0 value 3",
		"5 1 get_peers 15 13 0 0 0 nodes 0 value 0",
		"5 1 nodes 0 0 0 0 0 nodes 812 value 0",
		"5 1 queue_full 0 0 2 0 0 nodes 0 value 0",
		"5 1 response 0 0 0 15 0 nodes 0 value 0",
		"5 2 asker_ids 0 0 0 0 0 nodes 0 value 6",
		"5 2 get_peers 7 6 0 0 0 nodes 0 value 0",
		"5 2 nodes 0 0 0 0 0 nodes 900 value 0",
		"5 2 queue_full 0 0 1 0 0 nodes 0 value 0",
		"5 2 response 0 0 0 7 0 nodes 0 value 0",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func number(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}
