package httpapi

import (
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// prefix reads a network ("10.0.0.0/8") or one address.
func prefix(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, err
		}
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// trusted tells whether an address is one of our own proxies.
func (s *Server) trusted(text string) bool {
	address, err := netip.ParseAddr(strings.TrimSpace(text))
	if err != nil {
		return false
	}
	for _, p := range s.cfg.TrustedProxies {
		if network, err := prefix(p); err == nil && network.Contains(address.Unmap()) {
			return true
		}
	}
	return false
}

// remote is the address of the client: the peer or, when that is a trusted proxy, the nearest
// address in X-Forwarded-For that is none. What stands further left the client may have invented.
func (s *Server) remote(c *fiber.Ctx) string {
	address := c.Context().RemoteIP().String()
	chain := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for i := len(chain) - 1; i >= 0 && s.trusted(address); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(chain[i]))
		if err != nil {
			break
		}
		address = next.Unmap().String()
	}
	return address
}
