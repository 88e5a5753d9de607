// Package simulator plays the four vendors over real HTTP, so that the whole system runs without internet or keys. It plays the vendors' own
// wire cases (testdata/*.http), makes answers up where no case fits, refuses what the vendor refuses, and stalls, cuts, throttles and
// fails on demand.
//
// # Directives
//
// What the user says last may ask for a kind of answer, by [sim:WORD], [sim:WORD=VALUE], or several in one: [sim:thinking,tools=2]. A directive that there
// is not is refused with 400.
//
//	tools=N      calls N of the declared tools in one turn, one after the other; 0: none, although tools are declared
//	tool=NAME    calls the declared tool of that name
//	noargs       calls tools without arguments
//	preface      says something before it calls tools
//	agent=N      calls tools, one or two in turns, until N turns of results are in; then Proof of all of them
//	thinking     thinks first, though the request does not ask for it
//	redacted     thinks, and shows none of it
//	refuse       will not answer
//	filter       the vendor stops the answer: a content filter, or a blocked prompt
//	length       the answer ends in the middle, for want of tokens
//	exhausted    the same, before the first word
//	empty        a good answer that says nothing
//	pause        Anthropic's pause_turn; a good answer elsewhere
//	search       the vendor searches the web itself, and cites
//	cite=N       N citations on the text
//	say=TEXT     the answer, up to the bracket; stop sequences apply to it
//	bytes=N      an answer of N bytes
//	piece=N      a stream in pieces of N bytes, instead of 16
//	cached=N     N tokens of the prompt were kept
//	written=N    N tokens of the prompt are kept from now on
//	error        fails in the middle of a stream; a whole answer fails
//
// What is said about words (say, bytes, cite, search, length) asks for no tool call. Directives hold in both modes, until the user says something else. With
// a result of a tool they ask for no second call; an agent goes on, whatever the user says meanwhile.
//
// The requests themselves ask for the rest: thinking, several choices, likelihoods, JSON by a schema, stop sequences, max_tokens and web search are answered
// as the vendor answers them. What a vendor signs (thinking, thought signatures, encrypted reasoning) is signed here too, and refused when it comes back
// altered; signatures of wire cases are taken as well.
package simulator
