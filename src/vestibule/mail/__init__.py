"""How emails look and how they are sent: `letters` renders, `smtp` and `folder` deliver."""
