package rest

import "github.com/forge1/forge1/domain/fault"

func openAIError(f *fault.Error) []byte { return nil }
