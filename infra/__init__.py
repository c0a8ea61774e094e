"""Deploy time: the components of one environment, and the pure modules behind them."""
