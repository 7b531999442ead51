// What every Node peer shares: its orders come as JSON in the first argument, what it did goes out as lines.
const job = JSON.parse(process.argv[2])
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n')
const sent = (values, t) => Object.entries(values).map(([key, value]) => [key, value, t])
const awaitEnd = (stop) => process.stdin.once('data', () => { stop(); setTimeout(() => process.exit(0), 500) })
module.exports = { job, say, sent, awaitEnd }
