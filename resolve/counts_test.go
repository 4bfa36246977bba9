package resolve

import (
	"maps"
	"testing"
)

// TestListCountsApart: what failed of a list is counted besides all that failed.
func TestListCountsApart(t *testing.T) {
	c := &counts{failed: map[string]int64{}, failedOfList: map[string]int64{}}
	for _, from := range []source{fromList, fromSample, fromHeard} {
		c.count(&outcome{job: job{entry: entry{source: from}}, reason: "timeout"})
	}
	_, _, all := c.tries()
	if _, _, _, list := c.list(); !maps.Equal(all, map[string]int64{"timeout": 3}) || !maps.Equal(list, map[string]int64{"timeout": 1}) {
		t.Errorf("%v, of the list %v", all, list)
	}
}
