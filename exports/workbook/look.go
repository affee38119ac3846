package workbook

import (
	"github.com/xuri/excelize/v2"

	"github.com/chaoban/chaoban/kpi"
)

// Arial has a metric twin (Liberation Sans) wherever it is missing, and both Excel and
// LibreOffice fall back to the system's Chinese font for the characters it lacks.
const fontName = "Arial"

// The palette: one dark blue, greys, and the three colours of a verdict.
const (
	navy      = "1F3A5F"
	ink       = "222B36"
	muted     = "6B7785"
	rule      = "D5DBE3"
	band      = "F5F7FA"
	totalFill = "E3EAF3"
	weekend   = "FBF3E6"
	holiday   = "FBE3E0"
	amber     = "FFE08A"
	amberInk  = "6B4A00"
	passFill  = "DDF2E0"
	passInk   = "1B6B2F"
	failFill  = "FBDCD9"
	failInk   = "A61B12"
	openFill  = "ECEFF3"
	openInk   = "55606E"
)

// look is how a cell looks; it is comparable, so each look becomes one style of the file.
type look struct {
	size   float64 // points; 0 = 9
	bold   bool
	ink    string // "" = the default ink
	fill   string // "" = none
	align  string // left, center, right; "" = left
	top    bool   // align to the top, for rows with wrapped text; otherwise centred
	wrap   bool
	border bool   // hair lines around
	format string // number format; "" = general
}

var (
	titleLook  = look{size: 16, bold: true, ink: navy}
	subLook    = look{size: 9, ink: muted}
	bannerLook = look{size: 11, bold: true, ink: amberInk, fill: amber, align: "center"}
	headLook   = look{bold: true, ink: "FFFFFF", fill: navy, align: "center", wrap: true, border: true}
	sectLook   = look{size: 11, bold: true, ink: navy}
	keyLook    = look{ink: muted}
	valueLook  = look{bold: true}
	cellLook   = look{border: true}
	noteLook   = look{size: 8, ink: muted, wrap: true, top: true}
	wrapLook   = look{border: true, wrap: true, top: true}
)

func (l look) on(fill string) look   { l.fill = fill; return l }
func (l look) as(format string) look { l.format = format; return l }
func (l look) strong() look          { l.bold = true; return l }
func (l look) centred() look         { l.align = "center"; return l }
func (l look) wrapped() look         { l.wrap = true; return l }

// style registers a look once.
func (b *book) style(l look) int {
	asked := l
	if id, ok := b.styles[asked]; ok {
		return id
	}
	if l.size == 0 {
		l.size = 9
	}
	if l.ink == "" {
		l.ink = ink
	}
	st := excelize.Style{
		Font:      &excelize.Font{Family: fontName, Size: l.size, Bold: l.bold, Color: l.ink},
		Alignment: &excelize.Alignment{Horizontal: l.align, Vertical: "center", WrapText: l.wrap},
	}
	if l.align == "" {
		st.Alignment.Horizontal = "left"
	}
	if l.border && l.align == "" {
		st.Alignment.Indent = 1 // keeps the text off the line
	}
	if l.top {
		st.Alignment.Vertical = "top"
	}
	if l.fill != "" {
		st.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{l.fill}}
	}
	if l.border {
		for _, side := range []string{"left", "right", "top", "bottom"} {
			st.Border = append(st.Border, excelize.Border{Type: side, Color: rule, Style: 1})
		}
	}
	if l.format != "" {
		st.CustomNumFmt = &l.format
	}
	id, err := b.file.NewStyle(&st)
	b.try(err)
	b.styles[asked] = id
	return id
}

// tint is a conditional look: fill and ink.
type tint struct{ fill, ink string }

var (
	passTint = tint{passFill, passInk}
	failTint = tint{failFill, failInk}
	openTint = tint{openFill, openInk}
)

func (b *book) tint(t tint) *int {
	if id, ok := b.tints[t]; ok {
		return &id
	}
	id, err := b.file.NewConditionalStyle(&excelize.Style{
		Font: &excelize.Font{Color: t.ink, Bold: true},
		Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{t.fill}},
	})
	b.try(err)
	b.tints[t] = id
	return &id
}

// The number formats of a metric's value and of its two parts.
func valueFormat(u kpi.Unit) string {
	switch u {
	case kpi.Share:
		return "0.0%"
	case kpi.Seconds:
		return "#,##0.0"
	case kpi.Rating, kpi.Ratio:
		return "0.00"
	}
	return "#,##0"
}

const partFormat = "#,##0"

// unitName stands beside a figure whose number alone does not say what it is.
func unitName(u kpi.Unit) string {
	switch u {
	case kpi.Share:
		return "%"
	case kpi.Seconds:
		return "秒 s"
	case kpi.Rating:
		return "分 1-5"
	case kpi.Ratio:
		return "比 ratio"
	}
	return "个 count"
}
