/* Cells that live.js fills. */
var dagcomponentfuncs = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
dagcomponentfuncs.CTPoint = props => React.createElement('span', { 'data-point': `${props.data.id}/${props.pointKey}`, 'data-unit': 'no', 'data-age': 'no' });
dagcomponentfuncs.CTWorst = props => React.createElement('span', { 'data-worst': props.data.id, className: 'ct-z' });
dagcomponentfuncs.CTPost = props => (props.value ? React.createElement('button', { 'data-post': props.value, 'data-confirm': props.data.act_asks, className: 'ct-button', type: 'button' }, props.data.act_name) : null);
