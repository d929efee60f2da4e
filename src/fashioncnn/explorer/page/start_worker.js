"use strict";
{
  const answer = Service.service();
  self.onmessage = ({ data }) => answer(data, (reply) => self.postMessage(reply));
}
