package database

// utcDay is the day of a time, as 2006-01-02.
func (postgres) utcDay(column string) string {
	return "to_char(" + column + " AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
}

func (lite) utcDay(column string) string {
	return "strftime('%Y-%m-%d', " + column + " / 1000000, 'unixepoch')"
}

// each is a table of the texts of a list, with their keys, to stand in a FROM.
func (postgres) each(column, as string) string {
	return "jsonb_array_elements_text(" + column + ") WITH ORDINALITY AS " + as + " (value, key)"
}

func (lite) each(column, as string) string { return "json_each(" + column + ") AS " + as }

// bytewise makes a text be ordered by its bytes.
func (postgres) bytewise(text string) string { return "(" + text + `) COLLATE "C"` }

func (lite) bytewise(text string) string { return text }
