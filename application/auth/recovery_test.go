package auth_test

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/user"
)

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func TestARecoveryCodeIsReadHoweverItIsWritten(t *testing.T) {
	alike := map[byte]string{'0': "0oO", '1': "1iIlL"}
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.StringOfN(rapid.SampledFrom([]rune(crockford)), user.RecoveryCodeLetters, user.RecoveryCodeLetters, -1).Draw(t, "code")
		var written strings.Builder
		for i := range len(code) {
			written.WriteString(rapid.SampledFrom([]string{"", "", "-", " "}).Draw(t, "between"))
			forms := alike[code[i]]
			if forms == "" {
				forms = code[i:i+1] + strings.ToLower(code[i:i+1])
			}
			written.WriteByte(rapid.SampledFrom([]byte(forms)).Draw(t, "letter"))
		}
		if got, ok := auth.NormalRecovery(written.String()); !ok || got != code {
			t.Fatalf("%q: got %q, %v, want %q", written.String(), got, ok, code)
		}
		if got, ok := auth.NormalRecovery(auth.Grouped(code)); !ok || got != code {
			t.Fatalf("%q: got %q, %v, want %q", auth.Grouped(code), got, ok, code)
		}
	})
}

func TestWhatIsReadAsARecoveryCodeHasItsForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching("[0-9A-Za-z -]{22,30}")).Draw(t, "text")
		got, ok := auth.NormalRecovery(text)
		if ok && (len(got) != user.RecoveryCodeLetters || strings.Trim(got, crockford) != "") {
			t.Fatalf("%q is read as %q", text, got)
		}
		if again, same := auth.NormalRecovery(got); ok && (!same || again != got) {
			t.Fatalf("%q is read as %q, and that as %q", text, got, again)
		}
	})
}

func TestTwoAddressesAreOfOneNetworkWhenTheirFirst64BitsAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a, b [16]byte
		copy(a[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "a"))
		a[0] |= 0x20 // never IPv4 in IPv6, whatever bit changes: two bits of the beginning would have to
		a[1] |= 0x01
		b = a
		bit := rapid.IntRange(0, 127).Draw(t, "bit")
		b[bit/8] ^= 0x80 >> (bit % 8)
		x, y := netip.AddrFrom16(a), netip.AddrFrom16(b)
		if same := auth.Network(x.String()) == auth.Network(y.String()); same != (bit >= 64) {
			t.Fatalf("%v and %v differ in bit %d: one network %v", x, y, bit, same)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		var a [4]byte
		copy(a[:], rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address"))
		ip := netip.AddrFrom4(a)
		if got, mapped := auth.Network(ip.String()), auth.Network("::ffff:"+ip.String()); got != ip.String() || mapped != got {
			t.Fatalf("%v: got %q and %q", ip, got, mapped)
		}
	})
	if got := auth.Network("no address"); got != "no address" {
		t.Errorf("got %q", got)
	}
}
