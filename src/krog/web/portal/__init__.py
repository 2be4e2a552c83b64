"""The portal: what people see."""
