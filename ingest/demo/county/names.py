"""Names: invented, in the manner of the region."""

COUNTY = ("629901", "临渭川县", "Linweichuan County")
TOWNSHIPS = (
    ("城关镇", "Chengguan"), ("渭阳镇", "Weiyang"), ("石滩乡", "Shitan"), ("柳林镇", "Liulin"),
    ("东川镇", "Dongchuan"), ("马家坪乡", "Majiaping"), ("清泉乡", "Qingquan"), ("南山乡", "Nanshan"),
)  # fmt: skip
TOWN_COMMUNITIES = (
    ("西关社区", "Xiguan"), ("鼓楼社区", "Gulou"), ("文化路社区", "Wenhualu"), ("崇文社区", "Chongwen"),
    ("安定社区", "Anding"), ("人民路社区", "Renminlu"), ("和平社区", "Heping"), ("育才社区", "Yucai"),
    ("东关社区", "Dongguan"), ("建设社区", "Jianshe"), ("滨河社区", "Binhe"), ("兴业社区", "Xingye"),
    ("学府社区", "Xuefu"), ("科技社区", "Keji"), ("北环社区", "Beihuan"), ("迎宾社区", "Yingbin"),
)  # fmt: skip
VILLAGES = (
    ("王家湾村", "Wangjiawan"), ("李家坪村", "Lijiaping"), ("上石滩村", "Shangshitan"), ("下石滩村", "Xiashitan"),
    ("杨家沟村", "Yangjiagou"), ("柳林村", "Liulin"), ("马家坪村", "Majiaping"), ("赵家庄村", "Zhaojiazhuang"),
    ("清泉村", "Qingquan"), ("大庄村", "Dazhuang"), ("小庄村", "Xiaozhuang"), ("渭阳村", "Weiyang"),
    ("河湾村", "Hewan"), ("双桥村", "Shuangqiao"), ("东川村", "Dongchuan"), ("新堡村", "Xinpu"),
    ("周家河村", "Zhoujiahe"), ("南山村", "Nanshan"), ("苏家岭村", "Sujialing"), ("何家川村", "Hejiachuan"),
    ("红土坡村", "Hongtupo"), ("核桃湾村", "Hetaowan"), ("梨园村", "Liyuan"), ("张家窑村", "Zhangjiayao"),
)  # fmt: skip
COMPOUNDS = (
    ("安和苑", "Anhe Garden"), ("锦绣家园", "Jinxiu Home"), ("阳光花园", "Sunshine Garden"), ("滨河新城", "Riverside"),
    ("金穗小区", "Jinsui"), ("福临家园", "Fulin Home"), ("渭水人家", "Weishui"), ("翰林苑", "Hanlin Garden"),
    ("康居小区", "Kangju"), ("御景园", "Yujing Garden"), ("华苑小区", "Huayuan"), ("幸福里", "Xingfuli"),
    ("东方花园", "Orient Garden"), ("盛世嘉园", "Shengshi"), ("怡馨苑", "Yixin Garden"), ("学府雅居", "Xuefu"),
    ("龙泉小区", "Longquan"), ("祥云小区", "Xiangyun"), ("明珠苑", "Mingzhu Garden"), ("春晖小区", "Chunhui"),
    ("世纪新村", "Century Village"), ("丽水湾", "Lishui Bay"), ("兰亭苑", "Lanting Garden"), ("瑞景家园", "Ruijing"),
    ("青年小区", "Qingnian"), ("天和家园", "Tianhe Home"), ("紫荆苑", "Zijing Garden"), ("新华小区", "Xinhua"),
)  # fmt: skip
SOURCES = (("渭阳热电厂", "Weiyang CHP"), ("东郊调峰锅炉房", "East peak boiler"))
USES = {
    "residence": "住宅", "school": "学校", "hospital": "医院", "government": "机关", "market": "商业",
    "industry": "厂房", "old_town": "老城民居", "village": "农房", "bus_station": "客运站", "office": "办公",
    "stadium": "体育馆", "plant": "热源厂房", "chimney": "烟囱", "cooling_tower": "冷却塔",
}  # fmt: skip
