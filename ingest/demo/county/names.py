"""Names: invented, in the manner of the region."""

COUNTY = ("629901", "临渭川县", "Linweichuan County")
TOWNSHIPS = (
    ("城关镇", "Chengguan"), ("渭阳镇", "Weiyang"), ("石滩乡", "Shitan"), ("柳林镇", "Liulin"),
    ("东川镇", "Dongchuan"), ("马家坪乡", "Majiaping"), ("清泉乡", "Qingquan"), ("南山乡", "Nanshan"),
)  # fmt: skip
TOWN_COMMUNITIES = (
    ("西关社区", "Xiguan", -1250.0, 330.0), ("鼓楼社区", "Gulou", -420.0, 520.0), ("文化路社区", "Wenhualu", -1000.0, 900.0),
    ("崇文社区", "Chongwen", -1500.0, 1250.0), ("安定社区", "Anding", -1750.0, 780.0), ("人民路社区", "Renminlu", 250.0, 330.0),
    ("和平社区", "Heping", 620.0, 780.0), ("育才社区", "Yucai", 1500.0, 950.0), ("东关社区", "Dongguan", 1150.0, 350.0),
    ("建设社区", "Jianshe", 150.0, 1080.0), ("滨河社区", "Binhe", -2050.0, 200.0), ("兴业社区", "Xingye", -3100.0, 620.0),
    ("新城社区", "Xincheng", 250.0, -380.0), ("望山社区", "Wangshan", 1350.0, -330.0), ("北环社区", "Beihuan", -450.0, 1500.0),
    ("迎宾社区", "Yingbin", 2000.0, 420.0),
)  # fmt: skip
"""Name, in English, place: m along the valley and m north of the river."""
VILLAGES = (
    ("渭阳村", "Weiyang", 1, "south", -2900.0), ("王家湾村", "Wangjiawan", 1, "north", 3300.0),
    ("双桥村", "Shuangqiao", 1, "south", -1750.0), ("大庄村", "Dazhuang", 1, "north_edge", 900.0),
    ("小庄村", "Xiaozhuang", 1, "north_edge", -1500.0), ("上石滩村", "Shangshitan", 2, "north", -9000.0),
    ("下石滩村", "Xiashitan", 2, "north", -7700.0), ("杨家沟村", "Yangjiagou", 2, "gully", -8500.0),
    ("柳林村", "Liulin", 3, "north", -6500.0), ("李家坪村", "Lijiaping", 3, "south", -5200.0),
    ("河湾村", "Hewan", 3, "south", -7100.0), ("张家窑村", "Zhangjiayao", 3, "north", -5500.0),
    ("东川村", "Dongchuan", 4, "north", 4500.0), ("新堡村", "Xinpu", 4, "south", 4000.0),
    ("周家河村", "Zhoujiahe", 4, "north", 5600.0), ("马家坪村", "Majiaping", 5, "hill", -4600.0),
    ("红土坡村", "Hongtupo", 5, "hill", -2600.0), ("苏家岭村", "Sujialing", 5, "hill", -6700.0),
    ("清泉村", "Qingquan", 6, "north", 7000.0), ("何家川村", "Hejiachuan", 6, "south", 6400.0),
    ("梨园村", "Liyuan", 6, "hill", 5200.0), ("南山村", "Nanshan", 7, "south_hill", -400.0),
    ("核桃湾村", "Hetaowan", 7, "south_hill", 2600.0), ("赵家庄村", "Zhaojiazhuang", 7, "south_hill", -3400.0),
)  # fmt: skip
"""Name, in English, number of the township, how it lies, where along the valley (m)."""
COMPOUNDS = (
    ("安和苑", "Anhe Garden"), ("锦绣家园", "Jinxiu Home"), ("阳光花园", "Sunshine Garden"), ("滨河新城", "Riverside"),
    ("金穗小区", "Jinsui"), ("福临家园", "Fulin Home"), ("渭水人家", "Weishui"), ("翰林苑", "Hanlin Garden"),
    ("康居小区", "Kangju"), ("御景园", "Yujing Garden"), ("华苑小区", "Huayuan"), ("幸福里", "Xingfuli"),
    ("东方花园", "Orient Garden"), ("盛世嘉园", "Shengshi"), ("怡馨苑", "Yixin Garden"), ("学府雅居", "Xuefu"),
    ("龙泉小区", "Longquan"), ("祥云小区", "Xiangyun"), ("明珠苑", "Mingzhu Garden"), ("春晖小区", "Chunhui"),
    ("世纪新村", "Century Village"), ("丽水湾", "Lishui Bay"), ("兰亭苑", "Lanting Garden"), ("瑞景家园", "Ruijing"),
    ("青年小区", "Qingnian"), ("天和家园", "Tianhe Home"), ("紫荆苑", "Zijing Garden"), ("新华小区", "Xinhua"),
)  # fmt: skip
PUBLIC_STATIONS = {
    "market": ("商贸城", "Trade City"), "hospital": ("县医院", "County Hospital"), "school": ("实验中学", "Middle School"),
    "college": ("职教中心", "Vocational College"), "government": ("行政中心", "Civic Centre"), "office": ("政务大厅", "Service Hall"),
    "stadium": ("体育中心", "Sports Centre"), "bus_station": ("客运中心", "Bus Station"), "hotel": ("迎宾楼", "Guest House"),
    "clinic": ("中医院", "Second Hospital"), "mixed": ("老街", "Old Street"),
}  # fmt: skip
"""Names of stations that heat no dwellings, by the use of their block."""
SOURCES = (("渭阳热电厂", "Weiyang CHP"), ("东郊调峰锅炉房", "East peak boiler"))
USES = {
    "residence": "住宅", "school": "学校", "hospital": "医院", "government": "机关", "market": "商业",
    "industry": "厂房", "old_town": "老城民居", "village": "农房", "bus_station": "客运站", "office": "办公",
    "stadium": "体育馆", "plant": "热源厂房", "chimney": "烟囱", "cooling_tower": "冷却塔", "shop": "临街商铺",
    "urban_village": "城中村民居", "station_house": "换热站房", "rail_station": "火车站",
}  # fmt: skip
