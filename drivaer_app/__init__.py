"""The application: its core, and the terminal and the window that stand on it."""

from drivaer_app.own_modules import put_first

if __name__ == "drivaer_app":  # a checkout; what pip installs is all within one package, whose name is its own
    put_first()
