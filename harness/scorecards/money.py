"""What a run cost, and what one would cost."""


def usd(amount: float) -> str:
    """An amount in USD: to the cent from a dollar on, below it with as many digits as it takes."""
    if amount == 0 or amount >= 1:
        return f"${amount:,.2f}"
    if amount >= 0.01:
        cents = f"{amount:.4f}".rstrip("0")
        return f"${float(cents):.2f}" if len(cents) < len("0.00") else f"${cents}"
    return f"${float(f'{amount:.2g}'):.10f}".rstrip("0")
