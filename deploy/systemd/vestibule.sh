#!/bin/sh
# Run a command of Vestibule as its user, where its settings are. Goes to /usr/local/bin/vestibule.
cd /var/lib/vestibule && exec runuser -u vestibule -- env HOME=/var/lib/vestibule /opt/vestibule/bin/vestibule "$@"
