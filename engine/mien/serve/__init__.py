"""The server: an aiohttp application with sessions, rooms, portraits, a web page, WHIP and WHEP."""
