"""How letters look and how they leave: `letters` renders, `smtp` and `folder` carry."""
