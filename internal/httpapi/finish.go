package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"
)

// gzipFrom is the size from which compression is worth its time.
const gzipFrom = 1024

// gzipMark makes the tag of a compressed answer differ from that of the plain one (RFC 9110
// section 8.8.3.3); readTag takes it off again.
const gzipMark = "-gz"

// finish gives a successful GET its entity tag, answers 304 when the client has it already, and
// compresses what the client may have compressed.
func finish(c *fiber.Ctx) {
	response := c.Response()
	if c.Method() == fiber.MethodGet && response.StatusCode() == fiber.StatusOK && strings.HasPrefix(c.Path(), "/v1/") {
		if notModified(c) {
			response.ResetBody()
			response.Header.Del(fiber.HeaderContentType)
			c.Status(fiber.StatusNotModified)
			return
		}
	}
	if string(response.Header.Peek(fiber.HeaderCacheControl)) == "" {
		c.Set(fiber.HeaderCacheControl, "no-store")
	}
	compress(c)
}

// notModified sets the entity tag, a digest of the body unless the handler knew a better one, and
// compares it with what the client has.
func notModified(c *fiber.Ctx) bool {
	tag := string(c.Response().Header.Peek(fiber.HeaderETag))
	if tag == "" {
		sum := sha256.Sum256(c.Response().Body())
		tag = `"` + hex.EncodeToString(sum[:12]) + `"`
		c.Set(fiber.HeaderETag, tag)
	}
	c.Set(fiber.HeaderCacheControl, "private, no-cache") // keep it, but ask each time
	c.Vary(fiber.HeaderAuthorization, fiber.HeaderCookie, fiber.HeaderAcceptEncoding)
	for held := range strings.SplitSeq(c.Get(fiber.HeaderIfNoneMatch), ",") {
		held = strings.TrimSpace(held)
		if held == "*" || held != "" && readTag(held) == readTag(tag) {
			return true
		}
	}
	return false
}

// readTag is the opaque text of an entity tag without quotes, weakness and our gzip mark.
func readTag(tag string) string {
	tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
	return strings.TrimSuffix(strings.Trim(tag, `"`), gzipMark)
}

var gzipWriters = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one of its own constants
	}
	return w
}}

func compress(c *fiber.Ctx) {
	response := c.Response()
	body := response.Body()
	if len(body) < gzipFrom || len(response.Header.ContentEncoding()) > 0 || !compressible(string(response.Header.ContentType())) {
		return
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	if !acceptsGzip(c.Get(fiber.HeaderAcceptEncoding)) {
		return
	}
	var packed bytes.Buffer
	w := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	w.Reset(&packed)
	if _, err := w.Write(body); err != nil || w.Close() != nil {
		return // a buffer takes everything; without compression the answer is right too
	}
	response.SetBodyRaw(packed.Bytes())
	c.Set(fiber.HeaderContentEncoding, "gzip")
	if tag := string(response.Header.Peek(fiber.HeaderETag)); strings.HasSuffix(tag, `"`) {
		c.Set(fiber.HeaderETag, strings.TrimSuffix(tag, `"`)+gzipMark+`"`)
	}
}

func compressible(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "yaml") ||
		strings.HasSuffix(kind, "javascript") || kind == "image/svg+xml"
}

// acceptsGzip reads Accept-Encoding: gzip or *, unless its weight is 0.
func acceptsGzip(header string) bool {
	accepted := false
	for part := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "gzip" && name != "*" {
			continue
		}
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q="); ok {
			if v, err := strconv.ParseFloat(q, 64); err == nil {
				weight = v
			}
		}
		if name == "gzip" {
			return weight > 0
		}
		accepted = weight > 0
	}
	return accepted
}
