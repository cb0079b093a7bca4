"""Words of which names, addresses and goods are made. All are invented or common; none is taken from a data set."""

from __future__ import annotations


def listed(text: str) -> tuple[str, ...]:
    """Returns the words or names between the commas of a text."""
    return tuple(word.strip() for word in text.split(","))


SYLLABLES = listed(
    "ka,mo,ri,ta,len,dor,vi,sel,nar,qui,bo,tan,wel,sha,fen,gra,hol,jin,ko,lu,mer,no,pra,rus,so,ti,ul,ver,wo,ya,zen,el,"
    "mar,chi,be,do,an,ber,ston,lin,har,pe,sun,ray,tor,ce,ni"
)
SURNAMES = listed(
    "Abbott,Baker,Carver,Dalton,Ellis,Fischer,Grant,Hughes,Ibarra,Jensen,Keller,Lambert,Meyer,Novak,Ortega,Palmer,"
    "Quinn,Rossi,Schmidt,Tanaka,Ulrich,Vargas,Wagner,Xu,Young,Zhang,Nguyen,Kumar,Singh,Rahman,Lim,Chan,Wong,Ong,Tan,"
    "Ismail,Hassan,Yusof,Okafor,Mensah,Silva,Costa,Moreau,Dubois,Larsen,Virtanen,Kowalski,Horvat,Petrov,Brown,Clarke"
)
FIRST_NAMES = listed(
    "Anna,Ben,Carla,David,Elena,Farid,Grace,Hana,Ivan,Julia,Kai,Lena,Maria,Noor,Oscar,Priya,Quentin,Rosa,Sam,Tina,Uma,"
    "Victor,Wei,Xenia,Yusuf,Zoe,Aisha,Daniel,Fatimah,Gabriel,Mei,Nadia,Peter,Ravi,Siti,Thomas,Linda,Kelvin,Joanne"
)
QUALITIES = listed(
    "Golden,Happy,Blue,Green,Royal,Sunny,Grand,Prime,New,Old,Silver,Lucky,Bright,Fresh,Little,Big,Central,Northern,"
    "Eastern,Metro,Urban,Star,Ocean,River,Mountain,Garden,Modern,Classic,Union,United,First,Best,Smart,Super,Mega,Eco"
)
TRADES = listed(
    "Trading,Hardware,Stationery,Pharmacy,Restaurant,Cafe,Bakery,Electrical,Motors,Mini Market,Supermarket,Bookshop,"
    "Grill,Bistro,Optical,Textiles,Furniture,Florist,Auto Parts,Machinery,Enterprise,Foods,Seafood,Noodle House,"
    "Kitchen,Computers,Mobile,Sports,Garden Centre,Fashion,Jewellers,Petrol Station,Car Park,Laundry,Print Shop,"
    "Hotel,Clinic,Dental,Pet Shop,Toys,Beauty,Salon,Gifts,Packaging,Supplies,Tools,Paint Centre,Lighting,Wine Cellar"
)
LEGAL_FORMS = listed("Ltd,Limited,LLC,Inc.,Co.,GmbH,Pty Ltd,Pte Ltd,Sdn Bhd,SDN. BHD.,& Co,& Sons,PLT,B.V.,S.A.,Corp.")
STREETS = listed(
    "Street,Road,Avenue,Lane,Way,Drive,Boulevard,Square,Park Road,Hill,Close,Crescent,Industrial Park,Plaza,Terrace"
)
PLACES = listed(
    "Mill,Oak,Station,Church,Bridge,Market,Harbour,King,Queen,Cedar,Maple,Lake,Forest,School,Temple,Victoria"
)
TOWN_ENDS = listed("ton,ville,burg,ford,haven,field,_Park,_Heights,_Bay,_Hill,stad,mouth,wood,_City,gate")

GOODS: dict[str, tuple[str, ...]] = {
    "food": listed(
        "Whole Milk,White Bread,Brown Rice,Free Range Eggs,Butter,Yoghurt,Cheddar Cheese,Apple Juice,Orange Juice,"
        "Tomato Soup,Olive Oil,Sunflower Oil,Spaghetti,Instant Noodles,Corn Flakes,Honey,Strawberry Jam,Potato Chips,"
        "Dark Chocolate,Biscuits,Green Tea,Ground Coffee,Mineral Water,Cola,Bananas,Red Apples,Carrots,Onions,Potatoes,"
        "Chicken Breast,Minced Beef,Salmon Fillet,Tuna in Oil,Frozen Peas,Ice Cream,Sugar,Table Salt,Soy Sauce,Flour"
    ),
    "restaurant": listed(
        "Fried Rice,Chicken Curry,Beef Noodles,Grilled Fish,Vegetable Soup,Caesar Salad,Pizza Margherita,Cheese Burger,"
        "French Fries,Garlic Bread,Lamb Chop,Prawn Dumplings,Spring Rolls,Roast Duck,Mixed Satay,Iced Lemon Tea,"
        "Hot Coffee,Latte,Cappuccino,Espresso,Draft Beer,House Wine,Mango Lassi,Tiramisu,Fruit Platter,Set Lunch A,"
        "Set Dinner B,Steamed Rice,Egg Tart,Waffle,Hot Chocolate,Kids Meal,Extra Rice,Take Away Box,Service"
    ),
    "hardware": listed(
        "Wood Screw 4x40,Hex Bolt M8,Steel Nut M8,Paint Brush 2in,Wall Paint White,Sand Paper P120,Hammer,Screwdriver,"
        "Masking Tape,PVC Pipe 20mm,Elbow 20mm,Cement 50kg,Silicone Clear,LED Bulb 9W,Extension Cord,Padlock 40mm,"
        "Door Hinge,Drill Bit 6mm,Cable Tie,Wire Brush,Garden Hose,Bucket,Super Glue,Spray Paint,Work Gloves,Ladder,"
        "Battery AA,Tape Measure,Key Copy,Chain 5mm,Nail 2in,Switch 1 Gang,Socket 13A,Roof Sheet"
    ),
    "stationery": listed(
        "A4 Paper,Ball Pen Blue,Gel Pen Black,Pencil 2B,Eraser,Ruler 30cm,Stapler,Staples No.10,Note Book A5,Envelope,"
        "Ring Binder,Glue Stick,Scissors,Correction Tape,Highlighter,Marker Red,Sticky Notes,Clear Folder,Ink Black,"
        "Laminating Film,Calculator,Stamp Pad,Desk Calendar,Photocopy,Binding,Greeting Card,Gift Wrap,Thumb Tacks"
    ),
    "pharmacy": listed(
        "Paracetamol 500mg,Vitamin C,Cough Syrup,Plaster,Antiseptic Cream,Face Mask,Hand Sanitiser,Eye Drops,Shampoo,"
        "Toothpaste,Toothbrush,Body Lotion,Sun Cream,Baby Wipes,Thermometer,Cotton Buds,Multivitamin,Zinc Tablets,"
        "Nasal Spray,Lozenges,Soap Bar,Deodorant,Nail Clipper,Hair Gel,Mouthwash"
    ),
    "services": listed(
        "Parking Fee,Car Wash,Oil Change,Tyre Repair,Labour,Wheel Balancing,Diesel,Unleaded 95,Hair Cut,Dry Cleaning,"
        "Room Charge,Breakfast,Late Check-out,Delivery,Installation,Consulting,Design Work,Hosting 12 Months,Licence,"
        "Maintenance,Site Visit,Translation,Training Day,Printing A3,Courier,Storage,Inspection,Annual Fee"
    ),
    "fashion": listed(
        "T-Shirt White,Polo Shirt,Jeans Slim,Cotton Socks,Leather Belt,Sneakers,Sandals,Summer Dress,Rain Jacket,Cap,"
        "Scarf,Wool Sweater,Shorts,Tie,Backpack,Wallet,Umbrella,Pyjamas,Gloves,Hoodie,Blouse,Skirt,Suit Jacket,Hat"
    ),
}
SIZES = listed("500ML,1L,250G,1KG,2KG,100G,6PCS,12PCS,XL,S,M,L,RED,BLUE,BLACK,20CM,1.5L,330ML,5KG,PACK,BOX,SET,3IN1")
