package chatlog

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// ClosingRule says which messages of a buyer only close a conversation (谢谢, 好的) and ask for nothing.
// A message closes when nothing is left of it after its phrases are taken away, apart from
// punctuation, emoji and particles (啊, 哦, 哈). A character said several times counts once. It is data:
// another version may judge otherwise, and the mark is stored with the event.
type ClosingRule struct {
	Version  string   `yaml:"version" json:"version"`     // "v1"
	MaxRunes int      `yaml:"max_runes" json:"max_runes"` // longest message that can close, in characters that count; 1 to 50
	Phrases  []string `yaml:"phrases" json:"phrases"`     // 谢谢, 好的, ok; an emoji closes a message that is nothing but such emoji
}

// Validate reports every bad field. Errors: closing.invalid.
func (r ClosingRule) Validate() error {
	var p problems
	if problem := ids.Check(r.Version); problem != "" {
		p.add("version", r.Version, "%s", problem)
	}
	if r.MaxRunes < 1 || r.MaxRunes > 50 {
		p.add("max_runes", fmt.Sprint(r.MaxRunes), "must be from 1 to 50")
	}
	if len(r.Phrases) == 0 {
		p.add("phrases", "", "is empty")
	}
	seen := map[string]int{}
	for i, phrase := range r.Phrases {
		path := fmt.Sprintf("phrases[%d]", i)
		words, signs, asks := essence(phrase, len(phrase))
		key := words
		if words == "" {
			key = signs
		}
		first, twice := seen[key]
		switch {
		case asks:
			p.add(path, phrase, "asks: a question never closes")
		case key == "":
			p.add(path, phrase, "is empty or only punctuation")
		case utf8.RuneCountInString(key) > r.MaxRunes:
			p.add(path, phrase, "is longer than max_runes")
		case twice:
			p.add(path, phrase, "is the same as phrases[%d], %s", first, r.Phrases[first])
		}
		seen[key] = i
	}
	return fault.Bad("closing.invalid", "closing rule", p)
}

// Closes reports whether a message only closes. For many messages take the Matcher once.
func (r ClosingRule) Closes(text string) bool { return r.Matcher()(text) }

// longestClosing is beyond what any closing message has in bytes, however many emoji it is decorated
// with; longer ones are not looked at.
const longestClosing = 1024

// Matcher prepares the rule for many messages. The function may be used concurrently.
func (r ClosingRule) Matcher() func(text string) bool {
	words, signs := phrasesByFirst{}, phrasesByFirst{}
	for _, phrase := range r.Phrases {
		if w, s, _ := essence(phrase, len(phrase)); w != "" {
			words.add(w)
		} else if s != "" {
			signs.add(s)
		}
	}
	return func(text string) bool {
		if len(text) > longestClosing {
			return false
		}
		w, s, asks := essence(text, r.MaxRunes)
		switch {
		case asks:
			return false
		case w != "":
			return utf8.RuneCountInString(w) <= r.MaxRunes && covered(w, words, true)
		default:
			return s != "" && covered(s, signs, false)
		}
	}
}

// phrasesByFirst are phrases by their first character.
type phrasesByFirst map[rune][]string

func (p phrasesByFirst) add(phrase string) {
	first, _ := utf8.DecodeRuneInString(phrase)
	p[first] = append(p[first], phrase)
}

// particles soften a phrase and say nothing alone. Those that ask (吗, 呢, 么, 吧) are not among them.
const particles = "啊呀哦噢喔哈啦咯哟嘛嗯恩唉哎"

// covered reports whether s is a row of phrases, with particles anywhere between them.
func covered(s string, phrases phrasesByFirst, soften bool) bool {
	// reached[i]: 1 = s[:i] is particles only, 2 = it has a phrase too.
	var buffer [128]uint8
	reached := append(buffer[:0], make([]uint8, len(s)+1)...)
	reached[0] = 1
	for i, r := range s {
		if reached[i] == 0 {
			continue
		}
		if soften && strings.ContainsRune(particles, r) {
			next := i + utf8.RuneLen(r)
			reached[next] = max(reached[next], reached[i])
		}
		for _, phrase := range phrases[r] {
			if !strings.HasPrefix(s[i:], phrase) {
				continue
			}
			reached[i+len(phrase)] = 2
			// 多谢谢谢你 became 多谢你: the last character may be the first of the next phrase too.
			if _, last := utf8.DecodeLastRuneInString(phrase); last < len(phrase) {
				reached[i+len(phrase)-last] = 2
			}
		}
	}
	return reached[len(s)] == 2
}

// essence is what counts of a message: its letters and digits in lower case and half width, each run of
// one letter as one (嗯嗯嗯, okkk), and apart from them its signs: emoji and the codes that platforms
// write for them. Punctuation counts for nothing, but a question mark asks, and so, to be safe, does
// what cannot be read. It stops behind more than most characters of words.
func essence(text string, most int) (words, signs string, asks bool) {
	var wordBuffer, signBuffer [64]byte
	w, s := wordBuffer[:0], signBuffer[:0]
	count, last := 0, rune(0)
	for i := 0; i < len(text) && count <= most; {
		if n := written(text[i:]); n > 0 {
			s = append(s, text[i:i+n]...)
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		switch r = half(r); {
		case r == utf8.RuneError || unicode.IsControl(r) && !unicode.IsSpace(r):
			return "", "", true
		case r == '?' || r == '\u061f' || r == '\u203d' || r >= '\u2047' && r <= '\u2049' || r == '\u2753' || r == '\u2754':
			return "", "", true
		case isHan(r) || unicode.IsLetter(r):
			if !isHan(r) {
				r = unicode.ToLower(r)
			}
			if r != last {
				w = utf8.AppendRune(w, r)
				count++
			}
			last = r
		case unicode.IsNumber(r):
			w, last = utf8.AppendRune(w, r), r
			count++
		case unicode.Is(unicode.So, r):
			s = utf8.AppendRune(s, r)
		}
	}
	return string(w), string(s), false
}

// isHan is nearly every character of a message, found without a table.
func isHan(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }

// half is the half-width form of a full-width character.
func half(r rune) rune {
	switch {
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case r == '　':
		return ' '
	}
	return r
}

// written is the length of an emoji that a platform wrote as a code, 0 = none: JD's #E-s21, Taobao's
// /:087 and /:^_^. Names in brackets, [玫瑰], are words: [图片] and [地址] are content.
func written(s string) int {
	digits := func(from, most int) int {
		n := from
		for n < len(s) && n < from+most && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		return n
	}
	switch {
	case strings.HasPrefix(s, "#E-s"):
		return digits(len("#E-s"), 3)
	case !strings.HasPrefix(s, "/:") || len(s) == 2:
		return 0
	case s[2] >= '0' && s[2] <= '9':
		return digits(2, 3)
	}
	n := 2
	for n < len(s) && n < 5 && s[n] > ' ' && s[n] < 0x7f && s[n] != '?' {
		n++
	}
	if n == 2 {
		return 0
	}
	return n
}
