"""How emails look and how they are sent: `letters` renders; `smtp` sends, or `folder` writes files instead."""
