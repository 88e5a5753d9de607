DROP TABLE calls;
DROP TABLE routing_policies;
