package httpapi

import (
	"io"
	"time"

	"github.com/gofiber/fiber/v2"
)

// What is read of a body that nobody wanted, so that a client that is still sending gets its answer.
const (
	mostUnread     = 16 << 20
	unreadPatience = 2 * time.Second
)

// dropUnread makes sure that what is left of a body is not taken for the next request on the connection, as
// fasthttp would: the rest is read, or the connection ends after the answer. Of a body without a length
// nobody can tell here whether its end was read.
func dropUnread(c *fiber.Ctx) {
	body := c.Request().BodyStream()
	if body == nil {
		return
	}
	if c.Request().Header.ContentLength() >= 0 {
		if conn := c.Context().Conn(); conn != nil {
			_ = conn.SetReadDeadline(time.Now().Add(unreadPatience)) // the server sets another for the next request
		}
		if n, err := io.Copy(io.Discard, io.LimitReader(body, mostUnread)); err == nil && n < mostUnread {
			return
		}
	}
	c.Context().SetConnectionClose()
}
