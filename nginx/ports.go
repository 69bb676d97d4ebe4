package nginx

// The ports on which a managed nginx listens inside its container.
const (
	HTTPPort   = 80
	HTTPSPort  = 443
	StatusPort = 8079
)
