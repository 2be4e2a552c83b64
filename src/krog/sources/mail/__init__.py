"""Mail in: answers to what Krog has sent."""
