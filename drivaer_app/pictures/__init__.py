"""What is drawn to a file: cars in their pressure, comparisons, and what the drawings share."""
