// A peer in a page: `publish` by WHIP, `play` by WHEP, or `call` both ways; each gives back a peer to ask for figures.
window.peers = {
  async begin(url, tracks, wanted, codec, more) {
    const connection = new RTCPeerConnection(window.configuration);
    if (more) connection.createDataChannel("chat"); // and, below, a second camera: more than is taken
    const video = document.createElement("video");
    video.muted = true;
    video.autoplay = true;
    video.playsInline = true;
    const stream = new MediaStream();
    connection.ontrack = (event) => {
      stream.addTrack(event.track);
      video.srcObject = stream;
    };
    document.body.append(video);
    for (const kind of ["video", "audio"]) {
      const track = tracks.find((one) => one.kind === kind);
      const wants = wanted.includes(kind);
      if (!track && !wants) continue;
      const direction = track ? (wants ? "sendrecv" : "sendonly") : "recvonly";
      const transceiver = connection.addTransceiver(track ?? kind, { direction });
      if (kind === "video" && codec) {
        const able = RTCRtpReceiver.getCapabilities("video").codecs;
        transceiver.setCodecPreferences(able.filter((one) => [codec, "video/rtx"].includes(one.mimeType)));
      }
    }
    if (more) connection.addTransceiver("video", { direction: "sendonly" });
    await connection.setLocalDescription(await connection.createOffer());
    await new Promise((done) => {
      if (connection.iceGatheringState === "complete") return done();
      connection.onicegatheringstatechange = () => connection.iceGatheringState === "complete" && done();
    });
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: connection.localDescription.sdp,
    });
    if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
    await connection.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    const peer = { connection, video, location: answer.headers.get("Location"), pauses: [], last: 0 };
    const shown = (now) => {
      if (peer.last) peer.pauses.push(now - peer.last);
      peer.last = now;
      video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
    return peer;
  },
  async figures(peer) {
    const told = { state: peer.connection.connectionState };
    for (const report of (await peer.connection.getStats()).values()) {
      if (report.type === "inbound-rtp" || report.type === "outbound-rtp") {
        told[`${report.type} ${report.kind}`] = report;
      }
    }
    return {
      ...told,
      width: peer.video.videoWidth,
      height: peer.video.videoHeight,
      shown: peer.pauses.length,
      longest: Math.max(0, ...peer.pauses) / 1000,
    };
  },
  async end(peer) {
    await fetch(peer.location, { method: "DELETE" });
    peer.connection.close();
  },
};
