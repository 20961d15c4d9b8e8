"""Where bookmarklets and the share menus of phones lead: on to the web client, which knows who is logged in."""
