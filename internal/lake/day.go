package lake

import (
	"fmt"
	"time"
)

// Day is a UTC calendar day, counted from 1970-01-01 as day 0.
type Day int32

// MicrosPerDay is the length of a day; UTC as Unix counts it has no leap seconds.
const MicrosPerDay = 24 * 60 * 60 * 1_000_000

// DayOf returns the day that holds the instant t, in microseconds since 1970.
func DayOf(micros int64) Day {
	d := micros / MicrosPerDay
	if micros < 0 && micros%MicrosPerDay != 0 {
		d--
	}
	return Day(d)
}

// ParseDay reads YYYY-MM-DD.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a day; write it as 2026-11-22", s)
	}
	return DayOf(t.UnixMicro()), nil
}

// Start is the first microsecond of the day, End the first of the next.
func (d Day) Start() int64 { return int64(d) * MicrosPerDay }

// End is the first microsecond after the day.
func (d Day) End() int64 { return (int64(d) + 1) * MicrosPerDay }

// Time is the day's first instant.
func (d Day) Time() time.Time { return time.UnixMicro(d.Start()).UTC() }

func (d Day) String() string { return d.Time().Format(time.DateOnly) }
