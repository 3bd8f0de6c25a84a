"""The script of a page that is a peer: `peer.js`."""
