package configs

import (
	"net/url"
	"regexp"
	"strings"
)

const mask = "******"

var (
	schemeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`)
	// secretKey matches the name of a parameter that nobody may read.
	secretKey = regexp.MustCompile(`(?i)pass|pwd|secret|token|key`)
	// keyValue is one parameter of a key=value DSN, its value quoted as libpq does or bare.
	keyValue = regexp.MustCompile(`(?i)([a-z_]*(?:pass|pwd|secret|token|key)[a-z_]*\s*=\s*)('(?:[^'\\]|\\.)*'?|[^\s&;]+)`)
)

// maskDSN replaces the password in an address of a database: a URL with the password before the
// host or among the parameters, or a list of key=value. It need not be well formed, and rather too
// much is masked than too little: a password may itself hold any of : / ? # @ unescaped.
func maskDSN(dsn string) string {
	scheme, rest, _ := strings.Cut(dsn, "://")
	if rest == "" || !schemeName.MatchString(scheme) {
		return keyValue.ReplaceAllString(dsn, "${1}"+mask)
	}
	if end := strings.LastIndex(rest, "@"); end >= 0 {
		if colon := strings.Index(rest[:end], ":"); colon >= 0 {
			rest = rest[:colon+1] + mask + rest[end:]
		}
	}
	place, parameters, has := strings.Cut(rest, "?")
	if !has {
		return scheme + "://" + rest
	}
	pairs := strings.Split(parameters, "&")
	for i, pair := range pairs {
		key, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(key); err != nil || secretKey.MatchString(name) {
			pairs[i] = key + "=" + mask
		}
	}
	return scheme + "://" + place + "?" + keyValue.ReplaceAllString(strings.Join(pairs, "&"), "${1}"+mask)
}
