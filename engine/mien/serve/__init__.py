"""The live engine behind a browser and behind WHIP and WHEP: an aiohttp application, sessions, rooms, portraits."""
