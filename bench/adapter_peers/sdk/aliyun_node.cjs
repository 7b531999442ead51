// alibabacloud-iot-device-sdk: a device posts properties, is answered, is set, posts an event.
const iot = require('alibabacloud-iot-device-sdk')
const { job, say, sent, awaitEnd } = require('./peer.cjs')

const [productKey, deviceName] = job.name.split('/')
const device = iot.device({
  productKey, deviceName, deviceSecret: 'secret', brokerUrl: `mqtt://${job.host}:${job.port}`,
})
const whole = (values) => Object.fromEntries(Object.entries(values).map(([k, v]) => [k, v === true ? 1 : v === false ? 0 : v]))
const timed = (values, time) => Object.fromEntries(Object.entries(whole(values)).map(([k, value]) => [k, { value, time }]))
let answered = 0
const onAnswer = (said) => { if (said.code === 200) answered += 1 }
device.on('connect', () => {
  device.postProps(timed(job.first, job.t1), onAnswer)
  device.postProps(timed(job.second, job.t2), onAnswer)
  device.postEvent('lowPressure', { P1_PS: 0.2 }, onAnswer)
  say({ sent: [...sent(job.first, job.t1), ...sent(job.second, job.t2)] })
})
device.onProps((order) => {
  const value = order.params[job.sp]
  say({ order: value })
  device.publish(`/sys/${productKey}/${deviceName}/thing/service/property/set_reply`,
    JSON.stringify({ id: order.id, code: 200, data: {} }))
  const answer = { [job.sp]: value, [job.pos]: value }
  device.postProps(answer, onAnswer)
  say({ sent: sent(answer, null) })
  setTimeout(() => say({ told: `${answered} of 4 posts answered` }), 1000)
})
awaitEnd(() => device.end())
