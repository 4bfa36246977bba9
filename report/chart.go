//go:build cgo && !noduck

package report

import (
	"fmt"
	"html/template"
	"strings"
)

// The charts are SVG without scripts or styles of their own: classes take their
// colours from the page, so that they follow it into the dark. Lengths across are
// percent, so that text keeps its size on a narrow screen. Each has a title and a
// description; the numbers stand in a table beside it.

// bar is a line of a bar chart.
type bar struct {
	Label, Value string
	Percent      float64 // of the chart's width; negative where there is only text
}

const barPitch = 38 // pixels from one bar to the next

// barChart draws bars under their labels.
func barChart(id, title, about string, bars []bar) template.HTML {
	var b strings.Builder
	openChart(&b, id, "bars", title, about, barPitch*len(bars))
	for i, x := range bars {
		y := i * barPitch
		fmt.Fprintf(&b, `<text class="label" x="0" y="%d">%s</text>`, y+15, template.HTMLEscapeString(x.Label))
		fmt.Fprintf(&b, `<text class="value" x="100%%" y="%d">%s</text>`, y+15, template.HTMLEscapeString(x.Value))
		if x.Percent < 0 {
			continue
		}
		fmt.Fprintf(&b, `<rect class="track" x="0" y="%d" width="100%%" height="5" rx="2.5"/>`, y+23)
		fmt.Fprintf(&b, `<rect class="bar" x="0" y="%d" width="%.2f%%" height="5" rx="2.5"/>`, y+23, max(0.6, x.Percent))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // texts are escaped above, the rest are numbers and constants
}

func openChart(b *strings.Builder, id, class, title, about string, height int) {
	fmt.Fprintf(b, `<svg class="chart %s" role="img" aria-labelledby="%s-t %s-d" width="100%%" height="%d">`, class, id, id, height)
	fmt.Fprintf(b, `<title id="%s-t">%s</title><desc id="%s-d">%s</desc>`, id, template.HTMLEscapeString(title), id, template.HTMLEscapeString(about))
}

// The day's curve: pixels above it, of it, and below for the hours.
const (
	curveTop    = 10
	curveHeight = 170
	curveFoot   = 28
)

// dayCurve draws requesters by hour as steps. An hour that may not be shown is left open.
func dayCurve(id, title, about string, hours []hour) template.HTML {
	top := int64(1)
	for _, h := range hours {
		top = max(top, h.Requesters)
	}
	scale := niceCeiling(top)
	var b strings.Builder
	openChart(&b, id, "curve", title, about, curveTop+curveHeight+curveFoot)
	for i := range 3 {
		y := curveTop + curveHeight*i/2
		fmt.Fprintf(&b, `<line class="grid" x1="0" x2="100%%" y1="%d" y2="%d"/>`, y, y)
		if i < 2 {
			fmt.Fprintf(&b, `<text class="tick left" x="-8" y="%d">%s</text>`, y+4, Grouped(scale*int64(2-i)/2))
		}
	}
	fmt.Fprintf(&b, `<svg x="0" y="%d" width="100%%" height="%d" viewBox="0 0 24 100" preserveAspectRatio="none">`, curveTop, curveHeight)
	for _, h := range hours {
		if h.Known {
			height := 100 * float64(h.Requesters) / float64(scale)
			fmt.Fprintf(&b, `<rect class="step" x="%.2f" y="%.2f" width="0.84" height="%.2f"><title>%02d:00 UTC: %s</title></rect>`,
				float64(h.Hour)+0.08, 100-height, height, h.Hour, Grouped(h.Requesters))
		}
	}
	b.WriteString("</svg>")
	for _, h := range []int{0, 6, 12, 18} {
		fmt.Fprintf(&b, `<text class="tick" x="%.2f%%" y="%d">%02d:00</text>`,
			(float64(h)+0.08)/24*100, curveTop+curveHeight+18, h)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // texts are escaped, the rest are numbers and constants
}

// rowBar is the thin bar under a ranking's row, for the eye only.
func rowBar(percent float64) template.HTML {
	return template.HTML(fmt.Sprintf( //nolint:gosec // one number
		`<svg class="rowbar" aria-hidden="true" width="100%%" height="3"><rect class="track" width="100%%" height="3" rx="1.5"/><rect class="bar" width="%.2f%%" height="3" rx="1.5"/></svg>`, max(0.6, percent)))
}

// niceCeiling is the least of 10, 20, 30, 40, 50, 60, 80, 100, 200 … that is not below n.
func niceCeiling(n int64) int64 {
	for power := int64(10); ; power *= 10 {
		for _, m := range []int64{1, 2, 3, 4, 5, 6, 8} {
			if m*power >= n {
				return m * power
			}
		}
	}
}

// countryChart draws the first nine countries and the others.
func countryChart(s *site) template.HTML {
	var bars []bar
	var others, top float64
	var words []string
	for _, c := range s.Countries {
		if c.Code == "" || len(bars) == 9 {
			others += c.Share
			continue
		}
		bars = append(bars, bar{Label: c.Name, Value: fmt.Sprintf("%.1f%%", c.Share), Percent: c.Share})
		words = append(words, fmt.Sprintf("%s %.1f%%", c.Name, c.Share))
		top = max(top, c.Share)
	}
	for i := range bars {
		bars[i].Percent *= 100 / max(top, 0.1)
	}
	if others > 0 { // no place of its own: a bar would only dwarf the others
		bars = append(bars, bar{Label: "Others", Value: fmt.Sprintf("%.1f%%", others), Percent: -1})
		words = append(words, fmt.Sprintf("others %.1f%%", others))
	}
	return barChart("places", "Share of requesters by country", strings.Join(words, ", ")+".", bars)
}

// clientChart draws the programs of a country.
func clientChart(c *country) template.HTML {
	var sum, top int64
	for _, x := range c.Clients {
		sum += x.Requesters
		if x.Name != "" {
			top = max(top, x.Requesters)
		}
	}
	var bars []bar
	var words []string
	for _, x := range c.Clients {
		share := fmt.Sprintf("%.1f%%", 100*float64(x.Requesters)/float64(max(1, sum)))
		one := bar{Label: Shown(x.Name), Value: share, Percent: 100 * float64(x.Requesters) / float64(max(1, top))}
		if x.Name == "" {
			one.Label, one.Percent = "Others and not known", -1
		}
		bars = append(bars, one)
		words = append(words, one.Label+" "+share)
	}
	return barChart("clients", "Share of requesters by program", strings.Join(words, ", ")+".", bars)
}

// hourChart draws the hours of the last day.
func hourChart(hours []hour) template.HTML {
	return dayCurve("hours", "Requesters by hour", "Twenty-four columns, one for each hour in UTC; the table below has the numbers.", hours)
}
