package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What nobody reads of a refused body is no request of its own: behind a proxy it would be one that somebody
// hid in the body of another.
func TestRestOfABodyIsNoRequest(t *testing.T) {
	h := open(t, nil)
	hidden := "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	junk := strings.Repeat(hidden, 4000) // longer than what the server reads ahead
	address := strings.TrimPrefix(h.base, "http://")
	for name, body := range map[string]string{
		"with a length":    fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(junk), junk),
		"in chunks":        fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(junk), junk),
		"never sent whole": fmt.Sprintf("Content-Length: %d\r\n\r\n%s", 1<<30, junk),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
			go func() { _, _ = io.WriteString(conn, "POST /v1/events HTTP/1.1\r\nHost: x\r\n"+body) }()
			reader := bufio.NewReader(conn)
			first, err := http.ReadResponse(reader, nil)
			require.NoError(t, err)
			defer first.Body.Close()
			_, err = io.Copy(io.Discard, first.Body)
			require.NoError(t, err)
			assert.Equal(t, http.StatusUnauthorized, first.StatusCode, "nobody has logged in")
			if name == "with a length" { // all of it was read: the connection goes on
				_, err = io.WriteString(conn, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
				require.NoError(t, err)
				second, err := http.ReadResponse(reader, nil)
				require.NoError(t, err)
				defer second.Body.Close()
				text, err := io.ReadAll(second.Body)
				require.NoError(t, err)
				assert.Equal(t, http.StatusOK, second.StatusCode, "%s", text)
			}
			rest, _ := io.ReadAll(reader) // the end, or a reset
			assert.Empty(t, string(rest), "a second answer")
		})
	}
}
