/* Values that ag-grid sorts and shows. */
var dagfuncs = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
dagfuncs.ctValue = (place, key) => { const p = window.CT?.live?.get(window.CT.pointNo?.(`${place}/${key}`)); return p ? p.value : null; };
dagfuncs.ctWorst = place => { const z = window.CT?.worst?.(place); return z === null || z === undefined ? null : Math.abs(z); };
dagfuncs.ctAge = seconds => (seconds === null || seconds === undefined ? '--' : window.CT.formatAge(seconds));
