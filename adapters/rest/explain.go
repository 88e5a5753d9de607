package rest

type explanation struct{ title, text string }

var explanations = map[string]explanation{}
