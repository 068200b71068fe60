"""The HTTP API: routes, wire schemas, authentication, problem details."""
