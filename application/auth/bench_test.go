package auth_test

import (
	"testing"

	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

func BenchmarkAuthenticateRemembered(b *testing.B) {
	w := identity.New(b)
	w.User(b, ada, "")
	tokens := w.Login(b, ada)
	made, err := w.APIKey.Create(b.Context(), w.Caller(b, tokens.Access), inbound.CreateKey{Name: "k"})
	if err != nil {
		b.Fatal(err)
	}
	for name, credential := range map[string]string{"token": tokens.Access, "key": made.Key} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := w.Gate.Authenticate(b.Context(), credential); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkAuthenticateAnew(b *testing.B) {
	w := identity.New(b)
	v := w.User(b, ada, "")
	tokens := w.Login(b, ada)
	b.ReportAllocs()
	for b.Loop() {
		w.Gate.ForgetUser(v.UserID)
		if _, err := w.Gate.Authenticate(b.Context(), tokens.Access); err != nil {
			b.Fatal(err)
		}
	}
}
