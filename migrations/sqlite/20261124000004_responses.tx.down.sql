-- The responses are lost: the earlier version has no place for them.
DROP TABLE kept_responses;
