package blocklist_test

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn/frequency"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/adapters/blocklist"
	"github.com/forge1/forge1/ports/outbound"
)

var _ outbound.CommonPassword = blocklist.New(12).Common

func TestACommonPasswordIsKnownHoweverItIsDressed(t *testing.T) {
	list := blocklist.New(8)
	for how, passwords := range map[string][]string{
		"as it is":                {"1234567890123", "qwertyuiop12", "iloveyou1234", "administrator", "unbelievable"},
		"with digits":             {"password1234", "qwerty123456", "dragon482913", "football4711"},
		"with a year":             {"iloveyou2026", "sunshine1987", "2026password", "Password2026", "Baseball1999!"},
		"with a date":             {"michelle051287", "jessica19871205", "thomas31121999"},
		"with marks":              {"password!!!!", "!!password!!", "letmein.....", "monkey******"},
		"in likenesses":           {"P@ssw0rd2026!", "p4$$w0rd1234", "|loveyou1234", "7rustno12026", "1etme1n12345"},
		"with capitals":           {"PASSWORD1234", "PassWord1234", "Letmein12345"},
		"backwards":               {"drowssap1234", "niemtel123456"},
		"twice":                   {"letmein letmein", "passwordpassword", "monkey-monkey", "dragon1dragon1dragon1", "Dragon!dRAGON!"},
		"two of them":             {"monkeydragon", "admin-password", "johnsmith1985", "admin:welcome1"},
		"along the keys":          {"1qaz2wsx3edc", "zxcvbnm,./12", "poiuytrewq12", "qwertzuiop12", "!@#$%^&*()12", "asdfghjkl;'1"},
		"along the alphabet":      {"abcdefghijklm", "zyxwvutsrqpo", "abcd12345678", "9876543210ab"},
		"one sign after another":  {"aaaaaaaaaaab", "111111222222", "aaaabbbbcccc"},
		"a stretch said again":    {"xk7xk7xk7xk7xk7", "ab12ab12ab12ab12"},
		"of the world's calendar": {"January2026!", "Summer2026!!", "Monday-2026!"},
	} {
		for _, p := range passwords {
			if !list.Common(p) {
				t.Errorf("%s: %q passes, with %.1f bits", how, p, blocklist.Bits(p))
			}
		}
	}
}

func TestAGoodPasswordPasses(t *testing.T) {
	list := blocklist.New(12)
	for _, p := range []string{
		"correct horse battery staple", "correcthorsebatterystaple", "nanoseconds of copper wire", "green apple house", "kitchen sink blues",
		"Tr0ub4dor&3xyz", "sunflower7482!x", "482913750164", "xkcd-tqzmwvhj", "пароль-приве", "一期一会の旅は長い夜に終わる", "🦀🐙🦑🦐🐡🐠🐟🐬🐳🐋🦈🐊",
		"hZ3!kq9#mWv2", "a long walk home", "password of the copper moon", "3.14159265358979",
	} {
		if list.Common(p) {
			t.Errorf("%q is called common, with %.1f bits", p, blocklist.Bits(p))
		}
	}
}

// diceware are words as a list for dice holds them.
var diceware = strings.Fields(`abdomen amulet anvil bagpipe basil bison bonfire bristle cactus canopy cedar chisel cobalt comet cricket cruiser dandruff
	denim dolphin dragonfly drizzle eggshell ember fennel ferret flannel fossil gallon gecko ginger glacier gravel hamlet hazelnut herring iguana ivory jigsaw
	juniper kayak kelp ladle lantern lichen lobster magnet maple marigold mitten mosaic nectar noodle nutmeg oatmeal onyx otter paddle papaya pebble penguin
	quartz quilt raccoon rhubarb saddle salmon sapling sesame shovel spinach squid tadpole thimble tinsel tripod turnip umpire velvet walnut wombat yodel zipper`)

func TestFourWordsOfDicePass(t *testing.T) {
	list := blocklist.New(12)
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfNDistinct(rapid.SampledFrom(diceware), 4, 6, rapid.ID).Draw(t, "words")
		between := rapid.SampledFrom([]string{" ", "-", ".", ""}).Draw(t, "between")
		if p := strings.Join(words, between); list.Common(p) {
			t.Fatalf("%q is called common, with %.1f bits", p, blocklist.Bits(p))
		}
	})
}

func TestTwelveSignsAtRandomPass(t *testing.T) {
	list := blocklist.New(12)
	rapid.Check(t, func(t *rapid.T) {
		p := string(rapid.SliceOfNDistinct(rapid.RuneFrom([]rune("bdfgjkmpqvwxhzBDFGJKMPQVWX2357!#%&")), 12, 12, rapid.ID).Draw(t, "password"))
		if list.Common(p) {
			t.Fatalf("%q is called common, with %.1f bits", p, blocklist.Bits(p))
		}
	})
}

func TestEveryPasswordOfTheListIsCommonAndTheFirst3000AreSoDressed(t *testing.T) {
	list := blocklist.New(1)
	for rank, word := range frequency.FrequencyLists["passwords"] {
		dressed := []string{word}
		if rank%10 == 0 {
			dressed = append(dressed, strings.ToUpper(word), word+word, word+"1", word+"!")
		}
		if rank < 3000 && (rank < 100 || rank%10 == 0) {
			dressed = append(dressed, word+"2026!", strings.ToUpper(word[:1])+word[1:]+"12345", word+"1234567890", "2026"+word, word+" "+word+" "+word, word+"!!!!!!!!")
		}
		for _, p := range dressed {
			if len(word) > 1 && !list.Common(p) {
				t.Errorf("%q passes, with %.1f bits", p, blocklist.Bits(p))
			}
		}
	}
}

func TestTheListHoldsWhatThePolicyLetsThrough(t *testing.T) {
	for password, lengths := range map[string][2]int{"password1234": {12, 13}, "пароль": {1, 7}} {
		if long := blocklist.New(lengths[1]).Common(password); long {
			t.Errorf("%q is in the list of %d and more", password, lengths[1])
		}
	}
	if !blocklist.New(12).Common("password1234") {
		t.Error("password1234 is not in the list of 12 and more")
	}
}

func TestAnEstimateNeverGrowsByWhatAGuesserCouldLeaveOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.StringN(1, 60, -1).Draw(t, "password")
		whole := blocklist.Bits(p)
		if whole < 0 || math.IsInf(whole, 0) || math.IsNaN(whole) {
			t.Fatalf("%q: %v bits", p, whole)
		}
		if twice := blocklist.Bits(p + p); utf8.RuneCountInString(p) >= 3 && twice > whole+1+math.Log2(60)+1e-9 {
			t.Fatalf("%q: %.1f bits, twice %.1f", p, whole, twice)
		}
		if lower := blocklist.Bits(strings.ToLower(p)); lower > whole+1e-9 && strings.ToUpper(p) != p {
			t.Fatalf("%q: %.1f bits, in lower case %.1f", p, whole, lower)
		}
	})
}

// What stands before is foreign to the lists, so that each case is told by the piece alone.
func TestPiecesCostWhatAGuesserPays(t *testing.T) {
	const foreign = "kx"
	bits := func(p string) float64 { return blocklist.Bits(foreign+p) - blocklist.Bits(foreign) }
	rank := func(word string) float64 {
		best := math.MaxInt
		for _, list := range frequency.FrequencyLists {
			if i := slices.Index(list, word); i >= 0 {
				best = min(best, i)
			}
		}
		return math.Log2(float64(best + 1))
	}
	for p, want := range map[string]float64{
		"dragonfly": 1 + rank("dragonfly"), "Dragonfly": 2 + rank("dragonfly"), "DRAGONFLY": 2 + rank("dragonfly"), "draGonfly": 2 + rank("dragonfly") + math.Log2(9),
		"drAgonflY": 2 + rank("dragonfly") + math.Log2(36), "dr4gonfly": 2 + rank("dragonfly"), "dr4g0nfly": 3 + rank("dragonfly"), "DR4GONFLY": 3 + rank("dragonfly"),
		"m1ss1ss1pp1": 4 + rank("mississippi"), "ylfnogard": 2 + rank("dragonfly"), "ylfnogarD": 3 + rank("dragonfly") + math.Log2(9), "!": 1, ".": 2, "~": 6, "ж": 4.7, "7": 3.3,
		"1987": 7, "1929": 4 * 3.3, "2040": 4 * 3.3, "311287": 15, "123187": 15, "871231": 15, "05121987": 15, "12311987": 15, "19871231": 15, "329977": 6 * 3.3, "003977": 6 * 3.3,
		"34567": 2 + 3.3 + math.Log2(5), "76543": 2 + 3.3 + math.Log2(5), "tuvwx": 2 + 4.7 + math.Log2(5), "gfdsa": 2 + 4.7 + math.Log2(5),
		"ж7~ж7~": 4.7 + 3.3 + 6 + 1 + math.Log2(5), "ж7ж7": 2 * (4.7 + 3.3), // too short to be a repetition
	} {
		if got := bits(p); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: got %.2f bits, want %.2f", p, got, want)
		}
	}
}

func TestALongPasswordIsJudgedByItsBeginning(t *testing.T) {
	beginning := strings.Repeat("x1!Ω", 32)
	if a, b := blocklist.Bits(beginning), blocklist.Bits(beginning+strings.Repeat("correct horse ", 10_000)); a != b {
		t.Errorf("got %.1f bits, want %.1f", b, a)
	}
}

func TestTheListTakesLittleMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	blocklist.Unpack()
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 5<<18 {
		t.Errorf("unpacking takes %d bytes, want at most 1.25 MiB", took)
	}
}

// BenchmarkCommon holds the dearest kinds of password; none may take 5 ms.
func BenchmarkCommon(b *testing.B) {
	list := blocklist.New(12)
	for name, p := range map[string]string{
		"usual":       "correct horse battery staple",
		"likenesses":  strings.Repeat("4@8({[<369&#!1|", 9)[:128],
		"one sign":    strings.Repeat("a", 128),
		"words":       strings.Repeat("password", 16),
		"four signs":  strings.Repeat("a1b2", 32),
		"512 bytes":   strings.Repeat("🦀🐙🦑🦐", 32),
		"far too big": strings.Repeat("the1!", 100_000),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				list.Common(p)
			}
		})
	}
}

func BenchmarkUnpack(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		blocklist.Unpack()
	}
}
