"""Where what users do contradicts the policy."""
