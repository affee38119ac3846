package administration

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/chaoban/chaoban/internal/fault"
)

// argon2id cost: 19 MiB, 2 passes, 1 lane (OWASP password storage cheat sheet, first choice for
// servers that must bear many logins at shift start).
const (
	argonMemory = 19 * 1024 // KiB
	argonTime   = 2
	argonLanes  = 1
	argonKey    = 32

	minPassword = 10
	maxPassword = 256
)

// More hashes at once than the cores can work on gain nothing and cost argonMemory each, so who
// comes then queues for a moment and is sent away when that does not help.
const (
	hashesPerCore = 2
	maxHashes     = 16
	hashPatience  = 3 * time.Second
)

var hashing = make(chan struct{}, min(hashesPerCore*runtime.GOMAXPROCS(0), maxHashes))

// enterHashing waits for leave to compute one password hash; leave gives it back. Errors:
// access.busy, of kind RateLimited.
func enterHashing(ctx context.Context) (leave func(), err error) {
	wait, cancel := context.WithTimeout(ctx, hashPatience)
	defer cancel()
	select {
	case hashing <- struct{}{}:
		return func() { <-hashing }, nil
	case <-wait.Done():
		e := fault.New(fault.RateLimited, "access.busy", "too many people are logging in at this moment; try again")
		e.RetryAfter = time.Second
		return nil, e
	}
}

// hashPassword returns the PHC string of a password.
func hashPassword(password string) (string, error) {
	if n := len([]rune(password)); n < minPassword || n > maxPassword {
		return "", fault.Bad("user.invalid", "user", []fault.Field{{Path: "password", Problem: fmt.Sprintf("must have %d to %d characters", minPassword, maxPassword)}})
	}
	var salt [16]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return "", fault.Wrap(err, fault.Internal, "user.password", "the password cannot be stored")
	}
	return phc(salt[:], argon2.IDKey([]byte(password), salt[:], argonTime, argonMemory, argonLanes, argonKey)), nil
}

// phc writes a key as a PHC string of today's cost.
func phc(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

// checkPassword compares in constant time; a malformed hash never matches.
func checkPassword(hash, password string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || len(password) > 4*maxPassword {
		return false
	}
	var memory, time uint32
	var lanes uint8
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &lanes); err != nil || memory > 1<<20 || time == 0 || time > 64 || lanes == 0 {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(key) == 0 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, time, memory, lanes, uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1
}

// decoyHash is checked when the login name is unknown, so that the answer takes as long. It is the hash of
// no password: computing one here would cost every command 50 ms at its start.
var decoyHash = phc(make([]byte, 16), make([]byte, argonKey))

// newSecret makes a bearer secret with 256 random bits; the prefix tells people what it is.
func newSecret(prefix string) (string, error) {
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", fault.Wrap(err, fault.Internal, "secret.random", "no secret can be made")
	}
	return prefix + base64.RawURLEncoding.EncodeToString(raw[:]), nil
}
